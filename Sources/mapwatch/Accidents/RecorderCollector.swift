import Collectors
import Exposition
import FlightRecorder
import InstrumentedMaps

/// How much of what happens the flight recorder keeps.
struct RecorderCollector: Collector {
    let name = "recorder"
    /// nil when nothing is recorded.
    let recorder: FlightRecorder?

    func collect(_ scrape: Scrape) -> [MetricFamily] {
        let recorded = recorder?.mapsRecorded ?? 0
        let maps: [(String, Int)] = [("recorded", recorded), ("unrecorded", max(0, scrape.maps.maps.count - recorded))]
        return [
            MetricFamily(
                "mapwatch_recorder_operations_total", .counter,
                help: "Operations that the flight recorder has taken down in this run.",
                value: .count(recorder?.operationsRecorded ?? 0)),
            MetricFamily(
                "mapwatch_recorder_maps", .gauge,
                help:
                    "Maps whose operations the flight recorder takes down, and those that it does not: it has no room, "
                    + "or is off (--storage.path).",
                samples: maps.map { MetricSample(LabelSet(["state": $0.0]), .count(UInt64($0.1))) }),
        ]
    }
}
