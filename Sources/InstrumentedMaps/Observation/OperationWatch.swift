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

    init(map: MapName, observer: (any OperationObserver)?) {
        self.map = map
        self.observer = observer
        interest = observer?.interest ?? .everything
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
}
