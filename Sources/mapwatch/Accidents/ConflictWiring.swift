import Incidents
import InstrumentedMaps
import Instruments
import Logging

/// Tells the log and the incidents of a map's conflicts, and passes on all else.
final class ConflictObserver: OperationObserver {
    private let log: ConflictLog
    private let reporter: IncidentReporter
    private let incarnation: UInt64
    private let inner: (any OperationObserver)?

    init(
        _ log: ConflictLog, _ reporter: IncidentReporter, _ incarnation: UInt64, around inner: (any OperationObserver)?
    ) {
        self.log = log
        self.reporter = reporter
        self.incarnation = incarnation
        self.inner = inner
    }

    /// The observers of a host's maps: those that `inner` makes, and for maps that find conflicts one around it.
    static func observers(
        _ logger: Logger, _ reporter: IncidentReporter,
        around inner: @escaping MapHost.ObserverFactory = { _, _, _ in nil }
    ) -> MapHost.ObserverFactory {
        let log = ConflictLog(logger)
        return { name, options, incarnation in
            let inner = inner(name, options, incarnation)
            guard options.strategy == .checked else { return inner }
            return ConflictObserver(log, reporter, incarnation, around: inner)
        }
    }

    /// Of operations that are no conflict it wants to hear nothing itself.
    var interest: ObserverInterest { inner?.interest ?? [] }

    func didOperate(_ event: OperationEvent) { inner?.didOperate(event) }

    func insideCriticalSection(_ shard: Int, _ operation: ObservedOperation) {
        inner?.insideCriticalSection(shard, operation)
    }

    var rings: RingWriter? { inner?.rings }

    func didMeet(_ caller: Caller) { inner?.didMeet(caller) }

    func didConflict(_ conflict: MapConflict) {
        log.note(conflict)
        reporter.report(.conflict(IncidentConflict(conflict)), on: conflict.map, incarnation: incarnation)
        inner?.didConflict(conflict)
    }
}

extension IncidentConflict {
    /// The same in the words of an incident.
    init(_ conflict: MapConflict) {
        self.init(
            kind: conflict.kind.rawValue, shard: conflict.shard, found: Party(conflict.found),
            holder: Party(conflict.holder))
    }
}

extension IncidentConflict.Party {
    fileprivate init(_ party: MapConflict.Party) {
        self.init(
            caller: party.who, thread: party.thread, operation: party.operation.name, keyHash: party.keyHash,
            sinceNanoseconds: party.since)
    }
}
