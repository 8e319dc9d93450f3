import CSystem
import Instruments

// What a watched operation carries, on the stack of its thread:
//
//     gate     makes it: which operation, caller, thread, when
//     map      which shard, which key
//     shard    what it came to
//     gate     tells the observer, with every lock open
//
// An operation that nobody watches is handed nil, a constant: the compiler drops all of this from its path.

/// Who watches one map, for the map's life.
@usableFromInline
package final class MapWatch: Sendable {
    let map: MapName
    let observer: (any OperationObserver)?
    let interest: ObserverInterest
    /// What is decided and counted of conflicts; nil unless the map's strategy is `checked`.
    let checks: ConflictChecks?

    /// The watch over a map; nil when nobody wants to know anything.
    static func over(
        _ map: MapName, _ options: MapOptions, _ observer: (any OperationObserver)?
    ) -> MapWatch? {
        let checks = options.strategy == .checked ? ConflictChecks(options) : nil
        return observer == nil && checks == nil ? nil : MapWatch(map, observer, checks)
    }

    private init(_ map: MapName, _ observer: (any OperationObserver)?, _ checks: ConflictChecks?) {
        self.map = map
        self.observer = observer
        self.checks = checks
        // To name both parties of a conflict, and since when, takes all.
        interest = checks == nil ? observer?.interest ?? .everything : .everything
    }

    /// Does an operation and tells the observer of it afterwards; when `isReported` says no, it hears only that the
    /// operation was inside.
    func watching<R>(
        _ operation: ObservedOperation, isTimed: Bool = false, isReported: () -> Bool, _ body: (OperationWatch) -> R
    ) -> R {
        var watched = WatchedOperation(operation, of: self, isTimed: isTimed || interest.contains(.times))
        // Safety: the pointer does not outlive the call; `body` hands it down the stack only.
        let result = unsafe withUnsafeMutablePointer(to: &watched) { unsafe body(OperationWatch(operation: $0)) }
        if let observer, isReported() { watched.report(to: observer) }
        return result
    }
}

/// One operation that is watched.
struct WatchedOperation {
    let map: MapWatch
    var operation: ObservedOperation
    let caller = Caller.current
    let thread = mapwatch_thread_id()
    let isTimed: Bool
    let started: UInt64
    var shard = 0
    var keyHash: UInt64 = 0
    var outcome = OperationOutcome.hit
    /// The keys of a slice of deletes, each of which is an event of its own.
    var deletes: [(keyHash: UInt64, hit: Bool)] = []

    init(_ operation: ObservedOperation, of map: MapWatch, isTimed: Bool) {
        self.isTimed = isTimed
        started = isTimed ? MonotonicClock.nanoseconds() : MonotonicClock.coarseNanoseconds()
        self.map = map
        self.operation = operation
    }

    /// As one of the two of a conflict.
    var party: MapConflict.Party {
        MapConflict.Party(caller: caller, thread: thread, operation: operation, keyHash: keyHash, since: started)
    }

    fileprivate func report(to observer: any OperationObserver) {
        let duration = isTimed ? MonotonicClock.nanoseconds() &- started : 0
        guard operation == .delete, !deletes.isEmpty else {
            return observer.didOperate(event(keyHash, outcome, duration))
        }
        for delete in deletes {
            observer.didOperate(event(delete.keyHash, delete.hit ? .hit : .miss, duration))
        }
    }

    private func event(_ keyHash: UInt64, _ outcome: OperationOutcome, _ duration: UInt64) -> OperationEvent {
        OperationEvent(
            operation: operation, shard: shard, keyHash: keyHash, caller: caller, thread: thread, started: started,
            duration: duration, outcome: outcome)
    }
}

/// The way from an operation to what is known of it; valid until the operation ends.
@safe
@usableFromInline
package struct OperationWatch {
    // Safety: points to the stack of the thread that does the operation, and is never kept.
    let operation: UnsafeMutablePointer<WatchedOperation>

    /// Says where the operation goes.
    func aims(at shard: Int, _ key: Span<UInt8>) {
        unsafe operation.pointee.shard = shard
        unsafe operation.pointee.keyHash = FNV1a64.hash(key)
    }

    /// The same for a walk, which has no key.
    func aims(at shard: Int) { unsafe operation.pointee.shard = shard }

    /// Tells the observer that the operation is inside the guard.
    @usableFromInline
    func isInside() {
        guard unsafe operation.pointee.map.interest.contains(.criticalSections) else { return }
        let watched = unsafe operation.pointee
        watched.map.observer?.insideCriticalSection(watched.shard, watched.operation)
    }

    @usableFromInline
    func noteLoad(hit: Bool) {
        unsafe operation.pointee.outcome = hit ? .hit : .miss
        if unsafe operation.pointee.operation == .modify, hit { unsafe operation.pointee.operation = .load }
    }

    @usableFromInline
    func noteStore(_ outcome: StoreOutcome) {
        unsafe operation.pointee.operation = outcome == .inserted ? .insert : .update
        unsafe operation.pointee.outcome = outcome == .refused ? .refused : .hit
    }

    @usableFromInline
    func noteDelete(hit: Bool) {
        unsafe operation.pointee.operation = .delete
        unsafe operation.pointee.outcome = hit ? .hit : .miss
    }

    /// Notes one of a slice of deletes.
    func noteDelete(of key: [UInt8], hit: Bool) {
        unsafe operation.pointee.deletes.append((FNV1a64.hash(key.span), hit))
    }

    // MARK: - For the guard of `checked`

    /// Whether an operation of its scope was refused before, so that this one must not be done either.
    func isRefusedAlready() -> Bool {
        guard RefusalScope.current?.conflict != nil else { return false }
        unsafe operation.pointee.outcome = .conflict
        return true
    }

    var party: MapConflict.Party { unsafe operation.pointee.party }

    /// Whether this operation and what `holder` does are a conflict.
    func conflicts(with holder: ObservedOperation) -> Bool {
        let watched = unsafe operation.pointee
        return watched.map.checks?.kind(watched.operation, holder) != nil
    }

    /// Reports the conflict with whoever is inside; false when the operation is refused for it, true when it is to wait.
    func mayWait(for holder: MapConflict.Party) -> Bool {
        let watched = unsafe operation.pointee
        guard let checks = watched.map.checks, let kind = checks.kind(watched.operation, holder.operation) else {
            return true
        }
        let conflict = MapConflict(
            map: watched.map.map, shard: watched.shard, kind: kind, found: watched.party, holder: holder)
        if checks.mayWait(after: conflict, watched.map.observer) { return true }
        unsafe operation.pointee.outcome = .conflict
        return false
    }
}
