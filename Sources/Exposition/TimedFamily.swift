// A family with its history: each value with the instant at which it held, in OpenMetrics with timestamps. That is what
// `promtool tsdb create-blocks-from openmetrics` imports. `/metrics` never shows timestamps: there a value holds now.

/// A value and when it held.
public struct TimedSample: Sendable, Equatable {
    public let value: MetricValue
    public let millisecondsSince1970: UInt64

    public init(_ value: MetricValue, millisecondsSince1970: UInt64) {
        self.value = value
        self.millisecondsSince1970 = millisecondsSince1970
    }
}

/// All series of one name over a while; no histograms.
public struct TimedFamily: Sendable {
    let head: MetricFamily
    private(set) var series: [(labels: LabelSet, samples: [TimedSample])] = []

    public init(_ name: MetricName, _ type: MetricType, help: String) {
        precondition(type != .histogram, "\(name) would be a histogram, which has no history here")
        head = MetricFamily(name, type, help: help)
    }

    /// Adds one series, oldest sample first.
    public mutating func append(_ labels: LabelSet, _ samples: [TimedSample]) {
        series.append((labels, samples))
    }
}

extension TextFormat {
    /// OpenMetrics with timestamps, families sorted by name, ended by `# EOF`. A family without series is left out. Cost:
    /// linear in the bytes; one allocation.
    public static func render(history families: [TimedFamily]) -> [UInt8] {
        let families = families.filter { !$0.series.isEmpty }.sorted { $0.head.name < $1.head.name }
        let heads = families.map { head($0.head, .openMetrics) }
        let capacity = zip(families, heads).reduce(ending.utf8CodeUnitCount) { $0 + $1.0.textCapacity + $1.1.count }
        return ByteWriter.bytes(capacity: capacity) { writer in
            for (family, head) in zip(families, heads) {
                writer.append(head)
                writer.append(family)
            }
            writer.append(ending)
        }
    }
}

extension TimedFamily {
    /// More bytes than the lines will take: a name, braces, two numbers of at most 24 characters, spaces, a line feed.
    fileprivate var textCapacity: Int {
        let line = head.name.text.utf8.count + 54
        return series.reduce(0) { $0 + $1.samples.count * (line + $1.labels.rendered.count) }
    }
}

extension ByteWriter {
    fileprivate mutating func append(_ family: TimedFamily) {
        let name = Array(family.head.name.text.utf8)
        for (labels, samples) in family.series {
            for sample in samples {
                append(name)
                append(UInt8(ascii: "{"))
                append(labels.rendered)
                append("} ")
                append(sample.value)
                append(UInt8(ascii: " "))
                append(seconds: sample.millisecondsSince1970 * 1_000_000)
                append(UInt8(ascii: "\n"))
            }
        }
    }
}
