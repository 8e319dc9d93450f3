import Collectors
import Exposition
import Incidents
import InstrumentedMaps

/// How many incidents each map has had, by kind.
struct IncidentCollector: Collector {
    let name = "incidents"
    let reporter: IncidentReporter

    func collect(_ scrape: Scrape) -> [MetricFamily] {
        var family = MetricFamily(
            "mapwatch_incidents_total", .counter,
            help: "Incidents of a map, whether a bundle was written or not; a previous run counts for each of its maps."
        )
        for map in scrape.maps.maps {
            let labels = scrape.labels(of: map)
            for kind in IncidentKind.allCases {
                family.append(
                    labels.with("kind", kind.rawValue),
                    .count(reporter.count(map.name, incarnation: map.incarnation, kind)))
            }
        }
        return scrape.maps.maps.isEmpty ? [] : [family]
    }
}
