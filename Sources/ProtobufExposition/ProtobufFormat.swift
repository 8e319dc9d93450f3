// The same families as in the text formats, as messages of io.prometheus.client:
//
//     varint length │ MetricFamily │ varint length │ MetricFamily │ …
//
// Families come sorted by name, series in their collector's order. Counters keep their `_total` here. A histogram with
// exponential buckets has them beside the classic ones: Prometheus takes the native ones when it was told to, and the
// classic ones otherwise.
//
// Most series are rows of columns: those are written as bytes, the labels of a table once for all its families (as
// messages of the library they took ten times as long). Whatever else there is goes through the library:
//
//     MetricFamily   name · help · type │ 4 length Metric │ 4 length Metric │ …
//     Metric         1 length LabelPair │ 1 length LabelPair │ 2 or 3 (gauge or counter) 9 ┌ 1 value, 8 bytes ┐
//
// Bounds: the bytes of one family are in memory beside the body, some 60 a series.

public import Exposition
import SwiftProtobuf

/// Renders families as delimited protobuf.
public enum ProtobufFormat {
    /// The body for `families`; a family without series is left out. Cost: linear in the series. Throws when a family is too large for a message, 2 GB.
    public static func render(_ families: [MetricFamily]) throws -> [UInt8] {
        var body: [UInt8] = []
        var message: [UInt8] = []
        var labels = LabelCache()
        for family in families.filter({ !$0.series.isEmpty }).sorted(by: { $0.name < $1.name }) {
            message.removeAll(keepingCapacity: true)
            message += try Io_Prometheus_Client_MetricFamily(head: family).serializedBytes() as [UInt8]
            for series in family.series { try append(series, of: family.type, &labels, to: &message) }
            body.appendVarint(message.count)
            body += message
        }
        return body
    }

    private static func append(
        _ series: MetricFamily.Series, of type: MetricType, _ labels: inout LabelCache, to message: inout [UInt8]
    ) throws {
        switch series {
        case .sample(let labels, let value):
            try message.append(metric: Io_Prometheus_Client_Metric(labels, type, value).serializedBytes())
        case .column(let table, let column):
            for (row, labels) in labels.rows(table).enumerated() {
                message.append(metricWith: labels, type, column[row].double)
            }
        case .histogram(let labels, let value):
            try message.append(metric: Io_Prometheus_Client_Metric(labels, value).serializedBytes())
        }
    }
}

/// The labels of the tables of one body, since many families share one table.
private struct LabelCache {
    private var known: [(table: LabelTable, rows: [[UInt8]])] = []
    /// Where the last table was found: families come map by map, so the next one is most often just behind it.
    private var position = 0

    /// Of each row the fields of a metric that are its labels.
    mutating func rows(_ table: LabelTable) -> [[UInt8]] {
        for step in known.indices {
            let index = (position + step) % known.count
            guard known[index].table.isSame(as: table) else { continue }
            position = index + 1
            return known[index].rows
        }
        let rows = table.rows.map { pairs in
            var bytes: [UInt8] = []
            for pair in pairs { bytes.append(label: pair) }
            return bytes
        }
        known.append((table, rows))
        position = known.count
        return rows
    }
}

extension Io_Prometheus_Client_MetricFamily {
    /// What comes before the series.
    fileprivate init(head family: MetricFamily) {
        name = family.name.text
        help = family.help
        switch family.type {
        case .counter: type = .counter
        case .gauge: type = .gauge
        case .histogram: type = .histogram
        }
    }
}

extension Io_Prometheus_Client_Metric {
    fileprivate init(_ labels: LabelSet, _ type: MetricType, _ value: MetricValue) {
        label = labels.pairs.map { Io_Prometheus_Client_LabelPair($0) }
        if type == .counter { counter.value = value.double } else { gauge.value = value.double }
    }

    fileprivate init(_ labels: LabelSet, _ value: HistogramValue) {
        label = labels.pairs.map { Io_Prometheus_Client_LabelPair($0) }
        histogram = Io_Prometheus_Client_Histogram(value)
    }
}

extension Io_Prometheus_Client_LabelPair {
    fileprivate init(_ pair: (name: String, value: String)) {
        name = pair.name
        value = pair.value
    }
}

extension Io_Prometheus_Client_Histogram {
    fileprivate init(_ value: HistogramValue) {
        sampleSum = value.sum.double
        var count: UInt64 = 0
        for (index, observations) in value.counts.enumerated() {
            count &+= observations
            var bucket = Io_Prometheus_Client_Bucket()
            bucket.cumulativeCount = count
            bucket.upperBound = index < value.bounds.values.count ? value.bounds.values[index] : .infinity
            if !value.exemplars.isEmpty, let exemplar = value.exemplars[index] {
                bucket.exemplar = Io_Prometheus_Client_Exemplar(exemplar)
            }
            self.bucket.append(bucket)
        }
        sampleCount = count
        if let exponential = value.exponential { add(exponential) }
    }

    /// Spans of the buckets that hold something. A histogram without any has one empty span, by which a scraper knows that
    /// it is a native one.
    private mutating func add(_ exponential: ExponentialCounts) {
        schema = Int32(exponential.schema)
        zeroThreshold = exponential.zeroThreshold
        zeroCount = exponential.zeroCount
        var before: UInt64 = 0
        var next = 0
        for (index, count) in exponential.counts.enumerated() where count > 0 {
            if positiveSpan.isEmpty || index != next {
                var span = Io_Prometheus_Client_BucketSpan()
                span.offset = Int32(positiveSpan.isEmpty ? exponential.firstIndex + index : index - next)
                positiveSpan.append(span)
            }
            positiveSpan[positiveSpan.count - 1].length += 1
            positiveDelta.append(Int64(bitPattern: count &- before))
            before = count
            next = index + 1
        }
        if positiveSpan.isEmpty {
            positiveSpan.append(
                .with {
                    $0.offset = 0; $0.length = 0
                })
        }
    }
}

extension Io_Prometheus_Client_Exemplar {
    fileprivate init(_ exemplar: Exemplar) {
        label = exemplar.labels.pairs.map { Io_Prometheus_Client_LabelPair($0) }
        value = exemplar.value.double
        let (seconds, nanoseconds) = exemplar.nanosecondsSince1970.quotientAndRemainder(dividingBy: 1_000_000_000)
        timestamp.seconds = Int64(seconds)
        timestamp.nanos = Int32(nanoseconds)
    }
}

extension [UInt8] {
    /// A field that has a length: strings and messages.
    private static func tag(_ field: UInt8) -> UInt8 { field << 3 | 2 }

    /// A series of a family.
    fileprivate mutating func append(metric: [UInt8]) {
        append(Self.tag(4))
        appendVarint(metric.count)
        self += metric
    }

    /// The same of a counter or gauge, with labels that are bytes already.
    fileprivate mutating func append(metricWith labels: [UInt8], _ type: MetricType, _ value: Double) {
        append(Self.tag(4))
        appendVarint(labels.count + 11)
        self += labels
        append(Self.tag(type == .counter ? 3 : 2))
        append(9)
        append(1 << 3 | 1)
        var rest = value.bitPattern
        for _ in 0..<8 {
            append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    /// A label of a metric.
    fileprivate mutating func append(label: (name: String, value: String)) {
        var pair: [UInt8] = []
        for (field, text) in [(UInt8(1), label.name), (2, label.value)] {
            pair.append(Self.tag(field))
            pair.appendVarint(text.utf8.count)
            pair += text.utf8
        }
        append(Self.tag(1))
        appendVarint(pair.count)
        self += pair
    }

    /// Seven bits a byte, the least first; all bytes but the last have their highest bit.
    fileprivate mutating func appendVarint(_ number: Int) {
        var rest = UInt64(number)
        while rest > 127 {
            append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
