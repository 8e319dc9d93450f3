import Collectors
import Exposition
import Incidents
import InstrumentedMaps

/// The newest incidents by name and instant, and what became of the bundles.
struct IncidentBundleCollector: Collector {
    /// Incidents that are shown by name: each is a series, and gone when newer ones have come.
    static let shown = 20

    let name = "incident_bundles"
    let archive: IncidentArchive
    let reporter: IncidentReporter

    func collect(_ scrape: Scrape) -> [MetricFamily] {
        var instants = MetricFamily(
            "mapwatch_incident_timestamp_seconds", .gauge,
            help: "When each of the 20 newest incidents was; that of a previous run names no map.")
        for listed in archive.listed.prefix(IncidentBundleCollector.shown) {
            let summary = listed.summary
            instants.append(
                LabelSet([
                    "incident": summary.id.text, "map_name": summary.map?.text ?? "", "kind": summary.kind.rawValue,
                ]), .real(summary.seconds))
        }
        let outcomes = reporter.outcomes
        var bundles = MetricFamily(
            "mapwatch_incident_bundles_total", .counter,
            help: "Bundles written, left out for the pace (limited) or because too many waited (dropped), not taken by "
                + "the disk (failed), removed for newer ones (rotated).")
        for (result, count) in [
            ("written", outcomes.written), ("limited", outcomes.limited), ("dropped", outcomes.dropped),
            ("failed", outcomes.failed), ("rotated", outcomes.rotated),
        ] {
            bundles.append(LabelSet(["result": result]), .count(count))
        }
        let bytes = MetricFamily(
            "mapwatch_incident_stored_bytes", .gauge,
            help: "Bytes of all bundles on disk, at most --storage.max-bytes.",
            value: .count(UInt64(archive.storedBytes)))
        return [instants, bundles, bytes]
    }
}
