import Instruments

// What a watched operation carries, on the stack of its thread:
//
//     gate     makes it: which operation, caller, thread, when
//     map      which shard, which key
//     shard    what it came to, and the record of it in the observer's ring
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
    /// Where operations are recorded; then the observer is not told of them.
    let rings: RingWriter?
    /// Whether a record may be written by several at once: reads that take no lock are recorded.
    let ringsAreShared: Bool

    /// The rings, where an operation that nobody times has to be recorded by whoever is alone in its shard, and no more.
    var ringsAlone: RingWriter? { !ringsAreShared && interest.isSubset(of: .reads) ? rings : nil }

    /// The watch over a map; nil when nobody wants to know anything.
    static func over(
        _ map: MapName, _ options: MapOptions, _ observer: (any OperationObserver)?
    ) -> MapWatch? {
        let checks = options.strategy == .checked ? ConflictChecks(options) : nil
        return observer == nil && checks == nil ? nil : MapWatch(map, options, observer, checks)
    }

    private init(
        _ map: MapName, _ options: MapOptions, _ observer: (any OperationObserver)?, _ checks: ConflictChecks?
    ) {
        self.map = map
        self.observer = observer
        self.checks = checks
        rings = checks == nil ? observer?.rings : nil
        precondition(rings?.holds(options.shards - 1) ?? true, "fewer rings than shards")
        ringsAreShared = options.reads == .optimistic && rings?.takesReads == true
        // To name both parties of a conflict, and since when, takes all.
        interest = checks == nil ? observer?.interest ?? .everything : .everything
    }

    /// Has the name of a caller kept whose operation was recorded.
    @inline(__always)
    func introduce(_ caller: Caller) {
        if _slowPath(caller != .none) { introduceAnybody(caller) }
    }

    @inline(never)
    private func introduceAnybody(_ caller: Caller) {
        if rings?.knows(caller.id) == false { observer?.didMeet(caller) }
    }

    /// Does an operation and tells the observer of it afterwards; with `isReported` false, it hears only that the
    /// operation was inside.
    @inline(__always)
    func watching<R>(
        _ operation: ObservedOperation, isTimed: Bool = false, isReported: Bool = true, _ body: (OperationWatch) -> R
    ) -> R {
        var watched = WatchedOperation(
            operation, of: self, isTimed: isTimed || interest.contains(.times), isReported: isReported)
        // Safety: the pointer does not outlive the call; `body` hands it down the stack only.
        let result = unsafe withUnsafeMutablePointer(to: &watched) { unsafe body(OperationWatch(operation: $0)) }
        watched.report(to: self)
        return result
    }
}

/// The way from an operation to what is known of it; valid until the operation ends.
@safe
@usableFromInline
package struct OperationWatch {
    // Safety: points to the stack of the thread that does the operation, and is never kept.
    let operation: UnsafeMutablePointer<WatchedOperation>

    /// Says where the operation goes.
    @inline(__always)
    func aims(at shard: Int, _ key: Span<UInt8>) { unsafe operation.pointee.aims(at: shard, key) }

    /// The same for a walk, which has no key.
    func aims(at shard: Int) { unsafe operation.pointee.shard = shard }

    /// Tells the observer that the operation is inside the guard.
    @usableFromInline
    @inline(__always)
    func isInside() {
        if unsafe operation.pointee.map.interest.contains(.criticalSections) { tellInside() }
    }

    @inline(never)
    private func tellInside() {
        unsafe operation.pointee.map.observer?.insideCriticalSection(
            operation.pointee.shard, operation.pointee.operation)
    }

    /// Prepares the record of the operation, for which there is time now: the table's memory has just been asked for.
    @inline(__always)
    func awaitsMemory() {
        if unsafe operation.pointee.map.rings != nil { unsafe operation.pointee.prepare() }
    }

    /// Records the operation, which is about to leave the guard; `isAlone` says that nobody else is inside.
    @usableFromInline
    @inline(__always)
    func isLeaving(isAlone: Bool) { unsafe operation.pointee.record(isAlone: isAlone) }

    /// Nothing has happened that anybody should hear of.
    func isForgotten() { unsafe operation.pointee.isReported = false }

    @usableFromInline
    @inline(__always)
    func noteLoad(hit: Bool) {
        unsafe operation.pointee.outcome = hit ? .hit : .miss
        if unsafe operation.pointee.operation == .modify, hit { unsafe operation.pointee.operation = .load }
    }

    /// Notes and records a load that took no guard.
    @inline(__always)
    func noteUnguardedLoad(hit: Bool) {
        noteLoad(hit: hit)
        isLeaving(isAlone: false)
    }

    @usableFromInline
    @inline(__always)
    func noteStore(_ outcome: StoreOutcome) {
        unsafe operation.pointee.operation = outcome == .inserted ? .insert : .update
        unsafe operation.pointee.outcome = outcome == .refused ? .refused : .hit
    }

    @usableFromInline
    @inline(__always)
    func noteDelete(hit: Bool) {
        unsafe operation.pointee.operation = .delete
        unsafe operation.pointee.outcome = hit ? .hit : .miss
    }

    /// Notes one of a slice of deletes, inside the exclusive guard.
    func noteDelete(of key: [UInt8], hit: Bool) { unsafe operation.pointee.note(FNV1a64.hash(key.span), hit: hit) }

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
        unsafe operation.pointee.map.checks?.kind(operation.pointee.operation, holder) != nil
    }

    /// Reports the conflict with whoever is inside; false when the operation is refused for it, true when it is to wait.
    func mayWait(for holder: MapConflict.Party) -> Bool {
        let map = unsafe operation.pointee.map
        let watched = unsafe operation.pointee
        guard let checks = map.checks, let kind = checks.kind(watched.operation, holder.operation) else {
            return true
        }
        let conflict = MapConflict(
            map: map.map, shard: watched.shard, kind: kind, found: watched.party, holder: holder)
        if checks.mayWait(after: conflict, map.observer) { return true }
        unsafe operation.pointee.outcome = .conflict
        return false
    }
}
