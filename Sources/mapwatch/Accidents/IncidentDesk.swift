import AccidentIndicators
import Collectors
import FlightRecorder
import HTTPServer
import Incidents
import InstrumentedMaps
import Instruments
import Logging

/// What is kept beyond the process, as the command line says.
struct StorageSettings: Sendable {
    /// Nil keeps incidents in memory, and no recording.
    var path: String?
    /// What all bundles together may take.
    var maximumBytes: Int
    /// Whether the flight recorder takes down reads too.
    var recordsReads: Bool
}

/// Incidents in the daemon: what records them, and who shows them.
struct IncidentDesk: Sendable {
    let archive: IncidentArchive
    let reporter: IncidentReporter
    private let sampler: IndicatorSampler
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// `operations` are a map's last ones; nil when no recorder runs.
    init(
        _ storage: StorageSettings, sampler: IndicatorSampler, logger: Logger,
        operations: @escaping @Sendable (MapName) -> [RecordedOperation]?
    ) {
        // One wake stands for any number: whoever is woken looks at all that waits.
        let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        (self.wakes, self.wake, self.sampler) = (wakes, wake, sampler)
        archive = IncidentArchive(
            store: storage.path.map { BundleStore(storagePath: $0) }, maximumBytes: storage.maximumBytes,
            parse: IncidentRow.parse
        ) { IncidentDesk.log($0, logger) }
        reporter = IncidentReporter(
            archive: archive, version: Version.text,
            sources: IncidentReporter.Sources(
                sampler: sampler, operations: operations, nanoseconds: MonotonicClock.nanoseconds,
                secondsSince1970: System.secondsSince1970),
            wake: { wake.yield() })
    }

    /// By map: the series budget counts these.
    var mapCollector: any Collector { IncidentCollector(reporter: reporter) }

    var collector: any Collector { IncidentBundleCollector(archive: archive, reporter: reporter) }

    /// All incidents that are known, newest first.
    @Sendable func listed() -> [IncidentArchive.Listed] { archive.listed }

    /// What only reads.
    var readingRoutes: [Route] { IncidentsEndpoint(archive: archive, reporter: reporter).readingRoutes() }

    /// What the data listener serves: reading too, since its answer to a POST says where the incident is.
    func dataRoutes(_ host: MapHost) -> [Route] {
        IncidentsEndpoint(archive: archive, reporter: reporter).dataRoutes(host)
    }

    var service: IncidentService {
        IncidentService(reporter: reporter, sampler: sampler, wakes: wakes) { [wake] in wake.finish() }
    }

    private static func log(_ notice: IncidentArchive.Notice, _ logger: Logger) {
        switch notice {
        case .recorded(let summary, let path):
            logger.warning("incident", metadata: metadata(summary).merging(["kept": "\(path ?? "in memory")"]) { $1 })
        case .failed(let summary, let error):
            logger.error(
                "cannot write an incident, it is kept in memory",
                metadata: metadata(summary).merging(["reason": "\(error)"]) { $1 })
        case .rotated(let id): logger.info("removed an incident for a newer one", metadata: ["incident": "\(id)"])
        case .remark(let text): logger.warning("directory of incidents", metadata: ["reason": "\(text)"])
        }
    }

    private static func metadata(_ summary: IncidentSummary) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["incident": "\(summary.id)", "kind": "\(summary.kind.rawValue)"]
        if let map = summary.map { metadata["map"] = "\(map)" }
        return metadata
    }
}
