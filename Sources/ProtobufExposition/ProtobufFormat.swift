// The same families as in the text formats, as messages of io.prometheus.client:
//
//     varint length │ MetricFamily │ varint length │ MetricFamily │ …
//
// Families come sorted by name, series in their collector's order. Counters keep their `_total` here. A histogram with
// exponential buckets has them beside the classic ones: Prometheus takes the native ones when it was told to, and the
// classic ones otherwise.
//
// Bounds: the messages of one family are in memory at a time, some 300 bytes a series.

public import Exposition
import SwiftProtobuf

/// Renders families as delimited protobuf.
public enum ProtobufFormat {
    /// The body for `families`; a family without series is left out. Cost: linear in the series, about ten times that of
    /// text. Throws when a family is too large for a message, 2 GB.
    public static func render(_ families: [MetricFamily]) throws -> [UInt8] {
        var body: [UInt8] = []
        var labels = LabelCache()
        for family in families.filter({ !$0.series.isEmpty }).sorted(by: { $0.name < $1.name }) {
            let message: [UInt8] = try Io_Prometheus_Client_MetricFamily(family, &labels).serializedBytes()
            body.appendVarint(message.count)
            body += message
        }
        return body
    }
}

/// The labels of the tables of one body, since many families share one table.
private struct LabelCache {
    private var known: [(table: LabelTable, rows: [[Io_Prometheus_Client_LabelPair]])] = []
    /// Where the last table was found: families come map by map, so the next one is most often just behind it.
    private var position = 0

    mutating func rows(_ table: LabelTable) -> [[Io_Prometheus_Client_LabelPair]] {
        for step in known.indices {
            let index = (position + step) % known.count
            guard known[index].table.isSame(as: table) else { continue }
            position = index + 1
            return known[index].rows
        }
        let rows = table.rows.map { $0.map { Io_Prometheus_Client_LabelPair($0) } }
        known.append((table, rows))
        position = known.count
        return rows
    }
}

extension Io_Prometheus_Client_MetricFamily {
    fileprivate init(_ family: MetricFamily, _ labels: inout LabelCache) {
        name = family.name.text
        help = family.help
        switch family.type {
        case .counter: type = .counter
        case .gauge: type = .gauge
        case .histogram: type = .histogram
        }
        metric.reserveCapacity(family.series.count)
        for series in family.series {
            switch series {
            case .sample(let labels, let value):
                metric.append(.init(labels.pairs.map { Io_Prometheus_Client_LabelPair($0) }, family.type, value))
            case .column(let table, let column):
                for (row, labels) in labels.rows(table).enumerated() {
                    metric.append(.init(labels, family.type, column[row]))
                }
            case .histogram(let labels, let value):
                metric.append(
                    .with {
                        $0.label = labels.pairs.map { Io_Prometheus_Client_LabelPair($0) }
                        $0.histogram = Io_Prometheus_Client_Histogram(value)
                    })
            }
        }
    }
}

extension Io_Prometheus_Client_Metric {
    fileprivate init(_ labels: [Io_Prometheus_Client_LabelPair], _ type: MetricType, _ value: MetricValue) {
        label = labels
        if type == .counter { counter.value = value.double } else { gauge.value = value.double }
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
