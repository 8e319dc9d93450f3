import Collectors
import Exposition
import InstrumentedMaps

/// Which perturbations are on, so that none is taken for an accident or forgotten. Shown with `--enable-chaos` alone.
struct PerturbationCollector: Collector {
    let name = "perturbations"
    let perturbations: Perturbations

    func collect(_ scrape: Scrape) -> [MetricFamily] {
        var active = MetricFamily(
            "mapwatch_perturbation_active", .gauge, help: "1 while the map is disturbed on purpose in this way.")
        for map in scrape.maps.maps {
            let kinds = Set(perturbations.active(on: map.name).map(\.perturbation.kind))
            let labels = scrape.labels(of: map)
            for kind in PerturbationKind.allCases {
                active.append(labels.with("kind", kind.rawValue), .count(kinds.contains(kind) ? 1 : 0))
            }
        }
        var refused = MetricFamily(
            "mapwatch_perturbation_refused_total", .counter,
            help: "Requests refused because their shard was out on purpose.")
        for kind in PerturbationKind.allCases where kind.refusesRequests {
            refused.append(LabelSet(["kind": kind.rawValue]), .count(perturbations.refused(kind)))
        }
        return (scrape.maps.maps.isEmpty ? [] : [active]) + [refused]
    }
}
