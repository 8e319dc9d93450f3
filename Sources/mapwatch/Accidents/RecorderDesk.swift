import Collectors
import FlightRecorder
import Incidents
import InstrumentedMaps
import Instruments
import Logging

/// The flight recorder in the daemon: whether it runs, what the run before left, and which maps it records.
struct RecorderDesk: Sendable {
    /// nil without `--storage.path`, and when its directory cannot be written to.
    let recorder: FlightRecorder?
    /// What is left of the run before, if it did not end in order.
    let previousRun: PreviousRun?
    let recordsReads: Bool
    private let logger: Logger
    /// Whether it was said that a map did not fit: a stranger may create maps.
    private let hasSaidFull = LockedState(false)

    /// Reads the recording of the run before, and begins one. What goes wrong is logged, and the daemon goes on without.
    init(_ storage: StorageSettings, logger: Logger) {
        recordsReads = storage.recordsReads
        self.logger = logger
        guard let path = storage.path else {
            (recorder, previousRun) = (nil, nil)
            return
        }
        // The limit of a file's size is an error then, and no signal that ends the process.
        System.ignoreFileSizeSignal()
        let opening = RecorderOpening(
            directory: path, clocks: RecorderClocks(secondsSince1970: System.secondsSince1970))
        (recorder, previousRun) = (opening.recorder, opening.previousRun)
        for problem in opening.problems { logger.warning("flight recorder", metadata: ["reason": "\(problem)"]) }
        if let previousRun {
            logger.warning("the previous run did not end in order", metadata: RecorderDesk.metadata(previousRun))
        }
        if let recorder {
            logger.info("recording the last operations", metadata: ["file": "\(recorder.path)"])
        } else {
            logger.error("not recording operations", metadata: ["storage_path": "\(path)"])
        }
    }

    /// Rings for a map that is about to be created; nil when it is not recorded.
    func rings(for map: MapName, _ options: MapOptions, _ incarnation: UInt64) -> MapRings? {
        do throws(RecorderProblem) {
            return try recorder?.lend(
                map: map.text, incarnation: incarnation, shards: options.shards, takesReads: recordsReads)
        } catch {
            let isFirst = hasSaidFull.withLock { said in
                defer { said = true }
                return !said
            }
            if isFirst {
                logger.warning(
                    "a map is not recorded; further ones are not logged, see mapwatch_recorder_maps",
                    metadata: ["reason": "\(error)"])
            }
            return nil
        }
    }

    /// Who records the operations of a host's maps.
    func observer() -> MapHost.ObserverFactory {
        { RecordingObserver($0, $1, $2, self) }
    }

    /// What a map did last; nil when nothing is recorded.
    @Sendable
    func operations(of map: MapName) -> [RecordedOperation]? { recorder?.operations(of: map.text) }

    /// At once, before anything else of the start can go wrong: the recording that it stood in is gone.
    func reportPreviousRun(to incidents: IncidentDesk) {
        guard let previousRun else { return }
        incidents.reporter.report(previousRun)
        incidents.reporter.drain()
    }

    var collector: any Collector { RecorderCollector(recorder: recorder) }

    /// The run ends in order: what was recorded is no evidence.
    func end() { recorder?.endInOrder() }

    private static func metadata(_ run: PreviousRun) -> Logger.Metadata {
        [
            "started": "\(CalendarTime.text(run.startedAt))",
            "last_operation": run.lastOperationAt == 0 ? "none" : "\(CalendarTime.text(run.lastOperationAt))",
            "operations": "\(run.operations.values.reduce(0) { $0 + $1.count })", "maps": "\(run.operations.count)",
        ]
    }
}
