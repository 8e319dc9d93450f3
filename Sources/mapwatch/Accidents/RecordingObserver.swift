import FlightRecorder
import InstrumentedMaps
import Instruments

/// Records one map's operations: has the map write them, and writes those of a map that looks for conflicts.
///
/// Concurrency: called on the threads that do the operations, by many at once.
final class RecordingObserver: OperationObserver {
    let interest: ObserverInterest
    private let recorder: FlightRecorder
    private let mapRings: MapRings

    /// nil when nothing is recorded of this map, so that its operations pay nothing.
    init?(_ map: MapName, _ options: MapOptions, _ incarnation: UInt64, _ desk: RecorderDesk) {
        guard let recorder = desk.recorder, let rings = desk.rings(for: map, options, incarnation) else { return nil }
        self.recorder = recorder
        mapRings = rings
        interest = desk.recordsReads ? [.reads] : []
    }

    var rings: RingWriter? { mapRings.writer }

    func didMeet(_ caller: Caller) { recorder.name(caller.id, caller.name ?? "") }

    func didOperate(_ event: OperationEvent) {
        // It stands in the recording already: see `didConflict`.
        guard event.outcome != .conflict else { return }
        // Somebody else may want to hear of reads.
        guard event.operation != .load || interest.contains(.reads) else { return }
        record(
            event.shard, event.operation, event.outcome, event.keyHash, at: event.started, event.duration, event.thread,
            event.caller)
    }

    /// Both parties, here and now: under the policy `trap` the process is about to die.
    func didConflict(_ conflict: MapConflict) {
        for party in [conflict.holder, conflict.found] {
            record(
                conflict.shard, party.operation, .conflict, party.keyHash, at: party.since, 0, party.thread,
                party.caller)
        }
    }

    @inline(__always)
    private func record(
        _ shard: Int, _ operation: ObservedOperation, _ outcome: OperationOutcome, _ keyHash: UInt64,
        at started: UInt64, _ duration: UInt64, _ thread: UInt32, _ caller: Caller
    ) {
        if caller != .none, !mapRings.writer.knows(caller.id) { didMeet(caller) }
        mapRings.record(
            shard: shard, operation: OperationCode(rawValue: operation.rawValue),
            outcome: RecordedOutcome(rawValue: outcome.rawValue) ?? .hit, keyHash: keyHash, monotonic: started,
            durationNanoseconds: duration, thread: thread, caller: caller.id)
    }
}
