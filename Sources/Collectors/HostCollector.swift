public import Exposition
import InstrumentedMaps

/// What the host of the maps has counted itself: what no series of a map can say, because there is no such map.
public struct HostCollector: Collector {
    public let name = "host"

    public init() {}

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        let host = scrape.maps
        return [
            MetricFamily(
                "mapwatch_maps", .gauge, help: "Maps that are hosted now.", value: .count(UInt64(host.maps.count))),
            MetricFamily(
                "mapwatch_maps_max_bytes", .gauge, help: "Bytes that all maps together may hold.",
                value: host.maximumBytes == .max ? .real(.infinity) : .signed(Int64(host.maximumBytes))),
            MetricFamily(
                "mapwatch_maps_allocated_bytes", .gauge, help: "Bytes that all maps together hold now.",
                value: .count(host.allocatedBytes)),
            MetricFamily(
                "mapwatch_series_budget", .gauge, help: "Series that all maps together may have.",
                value: host.seriesBudget.map { .signed(Int64($0)) } ?? .real(.infinity)),
            MetricFamily(
                "mapwatch_series_folded", .gauge,
                help: "Maps shown as one row each, because a row a shard would not have fit the budget.",
                value: .count(UInt64(host.maps.count { $0.detail == .map }))),
            MetricFamily(
                "mapwatch_maps_dropped_total", .counter, help: "Maps dropped.", value: .count(host.mapsDropped)),
            MetricFamily(
                "mapwatch_entries_dropped_total", .counter, help: "Entries that dropped maps held.",
                value: .count(host.entriesDropped)),
            MetricFamily(
                "mapwatch_undeclared_map_writes_total", .counter,
                help: "Writes to maps that nobody had declared (assignment to entry in nil map).",
                value: .count(host.undeclaredWrites)),
        ]
    }
}
