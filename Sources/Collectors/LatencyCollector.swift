public import Exposition
import InstrumentedMaps
import Instruments

/// How long things took on every hosted map.
public struct LatencyCollector: Collector {
    public let name = "latencies"

    public init() {}

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        var operations = MetricFamily(
            histogram: "map_op_duration_seconds",
            help: "Durations of operations, waits included, one in 64; sampled: for quantiles, not rates.")
        var waits = MetricFamily(
            histogram: "map_lock_wait_seconds", help: "Ended waits for the map's locks, every contended one.")
        var resizes = MetricFamily("map_resize_total", .counter, help: "Growths of a shard's index that have ended.")
        var resizeSeconds = MetricFamily(
            "map_resize_seconds_total", .counter,
            help: "From begin to end of those growths; operations go on meanwhile, and each moves a little.")
        for map in scrape.maps.maps {
            let labels = scrape.labels(of: map)
            for operation in TimedOperation.allCases {
                operations.append(
                    labels.with("op", operation.rawValue),
                    value(map.timings[operation], LatencyCollector.operations, labels))
            }
            waits.append(labels.map, value(map.lockWaits, LatencyCollector.lockWaits, labels))
            resizes.append(labels.map, .count(map.sum(\.growths)))
            resizeSeconds.append(labels.map, .nanoseconds(map.sum(\.growthNanoseconds)))
        }
        return [operations, waits, resizes, resizeSeconds]
    }

    private static let operations = HistogramBounds(nanoseconds: LatencyBounds.operations.nanoseconds)
    private static let lockWaits = HistogramBounds(nanoseconds: LatencyBounds.lockWaits.nanoseconds)

    private func value(_ sample: LatencySample, _ bounds: HistogramBounds, _ labels: MapLabels) -> HistogramValue {
        HistogramValue(
            bounds, counts: sample.counts, sum: .nanoseconds(sample.sumNanoseconds),
            exponential: ExponentialCounts(
                schema: ExponentialBuckets.schema, zeroThreshold: ExponentialBuckets.zeroThreshold,
                zeroCount: sample.exponentialCounts.first ?? 0, firstIndex: ExponentialBuckets.firstIndex,
                counts: Array(sample.exponentialCounts.dropFirst())),
            exemplars: sample.lasts.map { last in last.flatMap { exemplar($0, labels) } })
    }

    /// The last latency of a bucket, with its shard.
    private func exemplar(_ last: LatencyExemplar, _ labels: MapLabels) -> Exemplar? {
        guard labels.exemplars.indices.contains(last.shard) else { return nil }
        return Exemplar(
            labels.exemplars[last.shard], .nanoseconds(last.nanoseconds),
            nanosecondsSince1970: MonotonicClock.nanosecondsSince1970(of: last.endedAt))
    }
}
