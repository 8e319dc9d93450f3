import BasicContainers
import CSystem
public import Instruments
public import Synchronization

// What every operation on a map passes first, whatever the map holds:
//
//     mode normal, not sampled (63 in 64)  ──────────────────────────────▶ operation
//     otherwise   [clock] ▶ [mode global: the map's one lock] ▶ operation ▶ [clock, histogram]
//
// The fast way is one relaxed load of a word that hardly anybody writes, and one decrement of the thread's own countdown.
//
// Mode `global` adds a lock around the shards' guards and takes none away. So a switch needs no moment at which nobody is
// inside: an operation that began before it still has its shard to itself, and no write is lost.

/// The mode of a map, its one lock, and the stopwatch of its operations.
///
/// Concurrency: any thread.
@usableFromInline
struct OperationGate: ~Copyable, Sendable {
    @usableFromInline let isGlobal: Atomic<Bool>
    private let gap = CacheLinePadding()
    private let lock: ShardLock
    private let waits: LatencyRecord
    private let loads = LatencyRecord(.operations)
    private let stores = LatencyRecord(.operations)
    private let deletes = LatencyRecord(.operations)

    init(_ mode: MapMode) {
        isGlobal = Atomic(mode == .global)
        waits = LatencyRecord(.lockWaits)
        lock = ShardLock(WaitRecord(waits, shard: nil))
    }

    /// Where the lock of a shard notes its waits.
    func waitRecord(shard: Int) -> WaitRecord { WaitRecord(waits, shard: shard) }

    var mode: MapMode { isGlobal.load(ordering: .relaxed) ? .global : .normal }

    /// Operations that begin after this returns obey; those under way end as they began.
    func set(_ mode: MapMode) { isGlobal.store(mode == .global, ordering: .relaxed) }

    /// Does an operation of a known kind.
    @inlinable
    @inline(__always)
    func pass<R>(_ operation: TimedOperation, _ body: () -> R) -> R {
        pass(as: { _ in operation }, operation == .load ? .read : .write, body)
    }

    /// Does an operation of which the result says what it was.
    @inlinable
    @inline(__always)
    func pass<R>(as operation: (R) -> TimedOperation, _ access: LockAccess = .write, _ body: () -> R) -> R {
        let isGlobal = isGlobal.load(ordering: .relaxed)
        #if MAPWATCH_NO_COUNTERS
        let isDue = false
        #else
        let isDue = OperationGate.isSamplingDue
        #endif
        if isGlobal || isDue { return passSlowly(isGlobal, isDue, operation, access, body) }
        return body()
    }

    /// Does something that is no operation (an iterator's look, a count) in the mode's order, and times nothing.
    @inline(__always)
    func passUntimed<R>(as access: LockAccess, _ body: () -> R) -> R {
        isGlobal.load(ordering: .relaxed) ? lock.withLock(as: access, body) : body()
    }

    /// Counts this thread down to the next operation that is timed.
    @usableFromInline static var isSamplingDue: Bool {
        @inline(__always) get { mapwatch_sampling_is_due() }
    }

    @inline(never)
    @usableFromInline
    func passSlowly<R>(
        _ isGlobal: Bool, _ isDue: Bool, _ operation: (R) -> TimedOperation, _ access: LockAccess, _ body: () -> R
    ) -> R {
        guard isDue else { return lock.withLock(as: access, body) }
        let start = MonotonicClock.nanoseconds()
        let result = isGlobal ? lock.withLock(as: access, body) : body()
        let end = MonotonicClock.nanoseconds()
        record(operation(result)).record(end &- start, endedAt: end, shard: nil)
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
        var samples: [ShardSample] = []
        samples.reserveCapacity(shards.count)
        var lockWaits = waits.sample
        for index in 0..<shards.count { samples.append(shards[index].sample(now: now)) }
        samples[0].add(lock.meter.sample(now: now))
        // The cells of the sum may have moved since they were read for the shards' rows.
        lockWaits.sumNanoseconds = samples.reduce(0) { $0 &+ $1.lockWaitNanoseconds }
        return (samples, lockWaits)
    }

    /// The durations of the operations that were timed.
    var timings: OperationTimings {
        OperationTimings(loads: loads.sample, stores: stores.sample, deletes: deletes.sample)
    }
}
