public import Exposition
import InstrumentedMaps
import Instruments

/// The conflicts that maps of strategy `checked` have found; no other map finds any.
public struct ConflictCollector: Collector {
    public let name = "conflicts"

    public init() {}

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        var found = MetricFamily(
            "map_concurrent_access_total", .counter,
            help: "Conflicts found: two operations at once that an unguarded map would not have survived.")
        for map in scrape.maps.maps {
            guard let conflicts = map.conflicts else { continue }
            let labels = scrape.labels(of: map)
            for kind in ConflictKind.allCases {
                found.append(labels.with("kind", kind.rawValue), .count(conflicts[kind]))
            }
        }
        return scrape.maps.maps.contains { $0.conflicts != nil } ? [found] : []
    }
}
