public import Exposition
import AccidentIndicators
import InstrumentedMaps

/// How maps have changed since the last completed scrape of whoever is asking.
///
/// Absent on a scraper's first scrape: a delta of 0 would claim that nothing has happened.
public struct SizeDeltaCollector: Collector {
    public let name = "size_delta"

    public init() {}

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        guard let deltas = scrape.sizeDeltas else { return [] }
        var entries = MetricFamily(
            "map_size_delta_entries", .gauge, help: "Change of map_entries since this scraper's last completed scrape.")
        var bytes = MetricFamily(
            "map_size_delta_bytes", .gauge,
            help: "Change of mem_map_size_bytes since this scraper's last completed scrape.")
        var interval = MetricFamily(
            "map_size_delta_interval_seconds", .gauge, help: "Time since this scraper's last completed scrape.")
        for (map, delta) in zip(scrape.maps.maps, deltas.maps) {
            let labels = scrape.labels(of: map)
            interval.append(labels.map, .nanoseconds(deltas.intervalNanoseconds))
            entries.append(labels.shards, .signed(delta.shards.map(\.entries)))
            bytes.append(labels.shards, .signed(delta.shards.map(\.bytes)))
        }
        return [entries, bytes, interval]
    }
}
