public import Exposition
import InstrumentedMaps
import Instruments

/// How long things took on every hosted map, as histograms.
public struct LatencyCollector: Collector {
    public let name = "latencies"

    public init() {}

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        var waits = MetricFamily(
            histogram: "map_lock_wait_seconds", help: "Ended waits for the map's locks, every contended one.")
        for map in scrape.maps.maps {
            waits.append(scrape.labels(of: map).map, value(map.lockWaits, LatencyCollector.lockWaits))
        }
        return [waits]
    }

    private static let lockWaits = HistogramBounds(nanoseconds: LatencyBounds.lockWaits.nanoseconds)

    private func value(_ sample: LatencySample, _ bounds: HistogramBounds) -> HistogramValue {
        HistogramValue(bounds, counts: sample.counts, sumNanoseconds: sample.sumNanoseconds)
    }
}
