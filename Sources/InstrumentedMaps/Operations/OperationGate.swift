import BasicContainers
import CSystem
import Instruments
public import Synchronization

// What every operation on a map passes first, whatever the map holds:
//
//     mode normal, not watched, not sampled (63 in 64)  ─────────────────▶ operation
//     otherwise   [clock] ▶ [mode global: the map's one lock] ▶ operation ▶ [clock, histogram] ▶ [observer]
//
// The fast way is one relaxed load of a word that hardly anybody writes, and one decrement of the thread's own countdown.
// Mode and watch are two bits of that word, so that who is not watched pays nothing for those who are.
//
// Mode `global` adds a lock around the shards' guards and takes none away. So a switch needs no moment at which nobody is
// inside: an operation that began before it still has its shard to itself, and no write is lost.

/// The mode of a map, its one lock, and the stopwatch of its operations.
///
/// Concurrency: any thread.
@usableFromInline
struct OperationGate: ~Copyable, Sendable {
    /// Why operations do not take the fast way; 0 when they do.
    @usableFromInline let detours: Atomic<UInt8>
    @usableFromInline static var isGlobal: UInt8 { 1 }
    /// Somebody watches, reads too.
    @usableFromInline static var watchesReads: UInt8 { 2 }
    /// Somebody watches, but no reads.
    @usableFromInline static var watchesRest: UInt8 { 4 }
    let watch: MapWatch?
    private let gap = CacheLinePadding()
    private let lock: ShardLock
    private let waits: LatencyRecord
    private let loads = LatencyRecord(.operations)
    private let stores = LatencyRecord(.operations)
    private let deletes = LatencyRecord(.operations)

    init(_ mode: MapMode, watch: MapWatch? = nil) {
        self.watch = watch
        let watched =
            watch.map { $0.interest.contains(.reads) ? OperationGate.watchesReads : OperationGate.watchesRest } ?? 0
        detours = Atomic((mode == .global ? OperationGate.isGlobal : 0) | watched)
        waits = LatencyRecord(.lockWaits)
        lock = ShardLock(WaitRecord(waits, shard: nil))
    }

    /// Where the lock of a shard notes its waits.
    func waitRecord(shard: Int) -> WaitRecord { WaitRecord(waits, shard: shard) }

    var mode: MapMode { OperationGate.isGlobal(detours.load(ordering: .relaxed)) ? .global : .normal }

    /// Operations that begin after this returns obey; those under way end as they began.
    func set(_ mode: MapMode) {
        switch mode {
        case .global: detours.bitwiseOr(OperationGate.isGlobal, ordering: .relaxed)
        case .normal: detours.bitwiseAnd(~OperationGate.isGlobal, ordering: .relaxed)
        }
    }

    private static func isGlobal(_ detours: UInt8) -> Bool { detours & isGlobal != 0 }

    /// Does an operation of a known kind: `body`, or `watched` when there is a watch over it. Two closures, so that the
    /// compiler knows in the first that nobody watches.
    @inlinable
    @inline(__always)
    func pass<R>(_ operation: TimedOperation, _ body: () -> R, watched: (OperationWatch) -> R) -> R {
        pass(operation.observed, as: { _ in operation }, body, watched: watched)
    }

    /// Does an operation of which the result says what it was; `operation` is what it is until then.
    @inlinable
    @inline(__always)
    func pass<R>(
        _ operation: ObservedOperation, as timed: (R) -> TimedOperation, _ body: () -> R,
        watched: (OperationWatch) -> R
    ) -> R {
        // What a load need not know is masked out; a constant where the operation is one.
        let detours = detours.load(ordering: .relaxed) & (operation == .load ? ~OperationGate.watchesRest : .max)
        #if MAPWATCH_NO_COUNTERS
        let isDue = false
        #else
        let isDue = OperationGate.isSamplingDue
        #endif
        if detours != 0 || isDue { return passSlowly(detours, isDue, operation, timed, body, watched: watched) }
        return body()
    }

    /// Does an operation of a known kind on a map that nobody watches.
    @inlinable
    @inline(__always)
    func pass<R>(_ operation: TimedOperation, _ body: () -> R) -> R { pass(operation, body, watched: { _ in body() }) }

    /// Does an operation of which the result says what it was, on a map that nobody watches.
    @inlinable
    @inline(__always)
    func pass<R>(
        _ operation: ObservedOperation, as timed: (R) -> TimedOperation, _ body: () -> R
    ) -> R {
        pass(operation, as: timed, body, watched: { _ in body() })
    }

    /// Does something that is no operation (a count) in the mode's order, and times nothing.
    @inline(__always)
    func passUnwatched<R>(as access: LockAccess, _ body: () -> R) -> R {
        inOrder(of: detours.load(ordering: .relaxed), as: access, body)
    }

    /// Does a step of a walk or of a sweep in the mode's order, and times nothing. With `isReported` false the observer
    /// does not hear of its end.
    func passUntimed<R>(
        _ operation: ObservedOperation, isReported: Bool = true, _ body: (OperationWatch?) -> R
    ) -> R {
        passWatched(
            detours.load(ordering: .relaxed), operation, isReported: isReported, { body(nil) }, watched: { body($0) })
    }

    /// Under the map's one lock in mode `global`.
    @inline(__always)
    private func inOrder<R>(of detours: UInt8, as access: LockAccess, _ body: () -> R) -> R {
        OperationGate.isGlobal(detours) ? lock.withLock(as: access, body) : body()
    }

    @inline(__always)
    private func passWatched<R>(
        _ detours: UInt8, _ operation: ObservedOperation, isTimed: Bool = false, isReported: Bool = true,
        _ body: () -> R, watched: (OperationWatch) -> R
    ) -> R {
        let isWatched = detours & (OperationGate.watchesReads | OperationGate.watchesRest) != 0
        guard isWatched, let watch else { return inOrder(of: detours, as: operation.access, body) }
        return watch.watching(operation, isTimed: isTimed, isReported: { isReported }) { watch in
            inOrder(of: detours, as: operation.access) { watched(watch) }
        }
    }

    /// Counts this thread down to the next operation that is timed.
    @usableFromInline static var isSamplingDue: Bool {
        @inline(__always) get { mapwatch_sampling_is_due() }
    }

    @inline(never)
    @usableFromInline
    func passSlowly<R>(
        _ detours: UInt8, _ isDue: Bool, _ operation: ObservedOperation, _ timed: (R) -> TimedOperation,
        _ body: () -> R, watched: (OperationWatch) -> R
    ) -> R {
        guard isDue else { return passWatched(detours, operation, body, watched: watched) }
        let start = MonotonicClock.nanoseconds()
        let result = passWatched(detours, operation, isTimed: true, body, watched: watched)
        let end = MonotonicClock.nanoseconds()
        record(timed(result)).record(end &- start, endedAt: end, shard: nil)
        return result
    }

    private func record(_ operation: TimedOperation) -> LatencyRecord {
        switch operation {
        case .load: loads
        case .store: stores
        case .delete: deletes
        }
    }

    // MARK: - For a scrape

    /// The rows of a map's shards, the first with what the map's one lock has counted, and the ended waits for all of
    /// these locks together.
    @inline(__always)
    func sample<Guard: ~Copyable, Table: ~Copyable>(
        _ shards: borrowing RigidArray<Shard<Guard, Table>>, now: UInt64
    ) -> (shards: [ShardSample], lockWaits: LatencySample) {
        let samples = rows(of: shards, now: now)
        var lockWaits = waits.sample
        // The cells of the sum may have moved since they were read for the shards' rows.
        lockWaits.sumNanoseconds = samples.reduce(0) { $0 &+ $1.lockWaitNanoseconds }
        return (samples, lockWaits)
    }

    /// The rows alone.
    @inline(__always)
    func rows<Guard: ~Copyable, Table: ~Copyable>(
        of shards: borrowing RigidArray<Shard<Guard, Table>>, now: UInt64
    ) -> [ShardSample] {
        var samples: [ShardSample] = []
        samples.reserveCapacity(shards.count)
        for index in 0..<shards.count { samples.append(shards[index].sample(now: now)) }
        samples[0].add(lock.meter.sample(now: now))
        return samples
    }

    /// The durations of the operations that were timed.
    var timings: OperationTimings {
        OperationTimings(loads: loads.sample, stores: stores.sample, deletes: deletes.sample)
    }
}
