public import AccidentIndicators
public import FlightRecorder
public import InstrumentedMaps
import Instruments

// From an occurrence to a bundle, never in the way of the operation that caused it:
//
//     operation ──▶ report: count, pace ──▶ pending (at most 64) ──▶ drain, on a thread of its own ──▶ bundle on disk
//                        └ paced out: counted      └ full: counted                                  └ or in memory
//
// `report` takes one lock for a few dictionary accesses; two clocks are read. All else happens in `drain`.

/// Records the incidents of one process.
///
/// Concurrency: any thread. Only ``drain()`` and ``record(note:on:incarnation:)`` touch the disk.
public final class IncidentReporter: Sendable {
    /// What it looks at; handed in by the top.
    public struct Sources: Sendable {
        let sampler: IndicatorSampler
        let operations: @Sendable (MapName) -> [RecordedOperation]?
        let nanoseconds: @Sendable () -> UInt64
        let secondsSince1970: @Sendable () -> Double

        /// `operations` are a map's last ones, newest last; nil when no recorder runs. `nanoseconds` is monotonic time.
        public init(
            sampler: IndicatorSampler, operations: @escaping @Sendable (MapName) -> [RecordedOperation]?,
            nanoseconds: @escaping @Sendable () -> UInt64, secondsSince1970: @escaping @Sendable () -> Double
        ) {
            self.sampler = sampler
            self.operations = operations
            self.nanoseconds = nanoseconds
            self.secondsSince1970 = secondsSince1970
        }
    }

    /// Bundles that wait to be written.
    static let maximumPending = 64

    let version: String
    let archive: IncidentArchive
    private let sources: Sources
    private let state = LockedState(State())
    private let wake: @Sendable () -> Void

    private struct State: Sendable {
        var ledger = IncidentLedger()
        var pending: [Pending] = []
        var number = 0
        var limited: UInt64 = 0
        var dropped: UInt64 = 0
        /// Incarnations that showed the signature at the last look.
        var showing: Set<UInt64> = []
    }

    private struct Pending: Sendable {
        let summary: IncidentSummary
        let moment: Moment
        var conflict: IncidentConflict?
        var previousRun: PreviousRun?
    }

    /// `wake` is called when there is something to drain: from any thread, and it must not block.
    public init(
        archive: IncidentArchive, version: String, sources: Sources, wake: @escaping @Sendable () -> Void
    ) {
        self.archive = archive
        self.version = version
        self.sources = sources
        self.wake = wake
        state.withLock { state in
            for summary in archive.listed.map(\.summary).sorted(by: { $0.id < $1.id }) {
                _ = state.ledger.isFirstOfHour(summary.map, seconds: summary.seconds)
            }
        }
    }

    /// What has become of incidents' bundles.
    public struct Outcomes: Sendable, Equatable {
        public let written: UInt64
        /// Left out for the pace.
        public let limited: UInt64
        /// Left out because too many were waiting.
        public let dropped: UInt64
        /// Not written for the disk's sake.
        public let failed: UInt64
        /// Removed for newer ones.
        public let rotated: UInt64
    }

    public var outcomes: Outcomes {
        let (limited, dropped) = state.withLock { ($0.limited, $0.dropped) }
        let disk = archive.counts
        return Outcomes(
            written: disk.written, limited: limited, dropped: dropped, failed: disk.failed, rotated: disk.rotated)
    }

    /// How many incidents this life of a map has had.
    public func count(_ map: MapName, incarnation: UInt64, _ kind: IncidentKind) -> UInt64 {
        state.withLock { $0.ledger.count(map, incarnation: incarnation, kind) }
    }

    /// Tells of an incident. It is counted now, and its bundle written soon, if the pace allows one.
    public func report(_ occurrence: Occurrence, on map: MapName, incarnation: UInt64) {
        report(occurrence, on: map, incarnation: incarnation, at: moment())
    }

    private func report(_ occurrence: Occurrence, on map: MapName, incarnation: UInt64, at moment: Moment) {
        let isPending = state.withLock { state in
            guard
                state.ledger.note(map, incarnation: incarnation, occurrence.kind, atNanoseconds: moment.nanoseconds)
                    == .bundle
            else {
                state.limited += 1
                return false
            }
            guard state.pending.count < IncidentReporter.maximumPending else {
                state.dropped += 1
                return false
            }
            state.pending.append(IncidentReporter.pending(occurrence, map, moment, &state))
            return true
        }
        if isPending { wake() }
    }

    /// Tells of a run that did not end in order: one incident, counted for each of its maps.
    public func report(_ run: PreviousRun) {
        let nanoseconds = run.lastOperationAt == 0 ? run.startedAt : run.lastOperationAt
        let moment = Moment(nanoseconds: sources.nanoseconds(), secondsSince1970: Double(nanoseconds) / 1e9)
        state.withLock { state in
            for name in run.operations.keys {
                if let map = try? MapName(name) { state.ledger.notePreviousRun(map) }
            }
            let summary = IncidentReporter.summary(.previousRun, nil, moment, note: "", &state)
            state.pending.append(Pending(summary: summary, moment: moment, previousRun: run))
        }
        wake()
    }

    /// Looks for maps that show the signature since this sample; to be called each second.
    public func watch(_ sample: IndicatorSample) {
        let showing = sample.maps.filter { sample.readings[$0.incarnation]?.hasSignature ?? false }
        let begun = state.withLock { state in
            let begun = showing.filter { !state.showing.contains($0.incarnation) }
            state.showing = Set(showing.map(\.incarnation))
            state.ledger.keep(only: sample.maps, atNanoseconds: sample.nanoseconds)
            return begun
        }
        guard !begun.isEmpty else { return }
        // The second at which it showed, which is that of the sample.
        let seconds = Double(moment().milliseconds(of: sample.nanoseconds)) / 1000
        let moment = Moment(nanoseconds: sample.nanoseconds, secondsSince1970: seconds)
        for map in begun { report(.signature, on: map.name, incarnation: map.incarnation, at: moment) }
    }

    /// Records an incident that somebody asks for, now: it is on the disk when this returns.
    public func record(
        note: String, on map: MapName, incarnation: UInt64
    ) throws(IncidentRefusal) -> IncidentSummary {
        guard archive.isOnDisk else { throw .noStorage }
        let moment = moment()
        let pending = try state.withLock { state throws(IncidentRefusal) in
            if let wait = state.ledger.wait(map, atNanoseconds: moment.nanoseconds) {
                state.limited += 1
                throw .tooSoon(seconds: Int(wait / 1_000_000_000) + 1)
            }
            _ = state.ledger.note(map, incarnation: incarnation, .manual, atNanoseconds: moment.nanoseconds)
            return IncidentReporter.pending(.manual(note: note), map, moment, &state)
        }
        do { try archive.add(IncidentBundle(incident(pending))) } catch { throw .storage(error) }
        return pending.summary
    }

    /// Writes what waits to be written, on the calling thread.
    public func drain() {
        while let next = state.withLock({ $0.pending.isEmpty ? nil : $0.pending.removeFirst() }) {
            // What went wrong has been told and counted by the archive.
            try? archive.add(IncidentBundle(incident(next)))
        }
    }

    private func moment() -> Moment {
        Moment(nanoseconds: sources.nanoseconds(), secondsSince1970: sources.secondsSince1970())
    }

    private static func pending(
        _ occurrence: Occurrence, _ map: MapName, _ moment: Moment, _ state: inout State
    ) -> Pending {
        var (note, met): (String, IncidentConflict?) = ("", nil)
        switch occurrence {
        case .conflict(let conflict): met = conflict
        case .manual(let text): note = text
        case .signature: break
        }
        return Pending(
            summary: summary(occurrence.kind, map, moment, note: note, &state), moment: moment, conflict: met)
    }

    private static func summary(
        _ kind: IncidentKind, _ map: MapName?, _ moment: Moment, note: String, _ state: inout State
    ) -> IncidentSummary {
        state.number += 1
        let seconds = moment.secondsSince1970
        return IncidentSummary(
            id: IncidentID(millisecondsSince1970: UInt64((max(0, seconds) * 1000).rounded()), number: state.number),
            kind: kind,
            map: map, seconds: seconds, note: note,
            isFirstOfHour: state.ledger.isFirstOfHour(map, seconds: seconds))
    }

    private func incident(_ pending: Pending) -> Incident {
        var incident = Incident(summary: pending.summary, moment: pending.moment, version: version)
        incident.conflict = pending.conflict
        incident.previousRun = pending.previousRun
        if let run = pending.previousRun {
            incident.operations = run.operations.values.joined().sorted {
                $0.timeNanosecondsSince1970 < $1.timeNanosecondsSince1970
            }
        } else if let map = pending.summary.map {
            incident.operations = sources.operations(map)
            incident.evidence = MapEvidence(of: map, in: sources.sampler, at: moment())
        }
        return incident
    }
}

/// Why an incident that was asked for was not recorded.
public enum IncidentRefusal: Error, Equatable {
    /// There is no `--storage.path`.
    case noStorage
    /// The pace of bundles allows the next one after so many seconds.
    case tooSoon(seconds: Int)
    case storage(IncidentStorageError)
}
