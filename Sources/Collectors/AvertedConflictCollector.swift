public import Exposition
import InstrumentedMaps
import Instruments

/// What the locks have averted: for people to see what a map lives with, and no cause for an alert.
public struct AvertedConflictCollector: Collector {
    public let name = "averted_conflicts"

    public init() {}

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        var averted = MetricFamily(
            "map_conflict_averted_total", .counter,
            help: "Operations that found another one in the shard that an unguarded map would not have survived.")
        for map in scrape.maps.maps {
            let labels = scrape.labels(of: map)
            let rows = map.rows
            for kind in ConflictKind.allCases {
                averted.append(
                    labels.shards(with: "kind", kind.rawValue), MetricColumn(rows) { .count($0.averted[kind]) })
            }
        }
        return scrape.maps.maps.isEmpty ? [] : [averted]
    }
}
