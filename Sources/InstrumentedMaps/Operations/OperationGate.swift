#if !MAPWATCH_NO_COUNTERS
public import CSystem
#endif
import Instruments
public import Synchronization

// What every operation on a map passes first, whatever the map holds:
//
//     mode normal, not watched, not sampled (63 in 64)  ─────────────────▶ operation
//     otherwise   [clock] ▶ [mode global: the map's one lock] ▶ operation ▶ [clock, histogram] ▶ [observer]
//
// The fast way is one relaxed load of a word that hardly anybody writes, and one decrement of the thread's own countdown.
// Mode and watch are bits of that word, so that who is not watched pays nothing for those who are. Where a record is all
// that is wanted, the operation writes it on the fast way (see `OperationRecord`).
//
// Mode `global` adds a lock around the shards' guards and takes none away. So a switch needs no moment at which nobody is
// inside: an operation that began before it still has its shard to itself, and no write is lost.

/// The mode of a map, its one lock, and the stopwatch of its operations.
///
/// Concurrency: any thread.
@safe
@usableFromInline
struct OperationGate: ~Copyable, Sendable {
    /// Why operations do not take the fast way; 0 when they do.
    @usableFromInline let detours: Atomic<UInt8>
    @usableFromInline static var isGlobal: UInt8 { 1 }
    /// Somebody watches, reads too.
    @usableFromInline static var watchesReads: UInt8 { 2 }
    /// Somebody watches, but no reads.
    @usableFromInline static var watchesRest: UInt8 { 4 }
    /// What chooses the shard is not what the fast way takes for it.
    @usableFromInline static var choosesShard: UInt8 { 8 }
    /// Entries have deadlines when nobody says otherwise: what is stored is to get one.
    @usableFromInline static var setsDeadlines: UInt8 { 16 }
    let watch: MapWatch?
    /// The watch's, where a record is all that it wants of an operation on one key.
    let rings: RingWriter?
    /// Whether they take loads too.
    let recordsLoads: Bool
    // Safety: `watch` keeps it. A counted reference is two locked instructions an operation.
    private let lentWatch: Unmanaged<MapWatch>?
    private let gap = CacheLinePadding()
    let lock: ShardLock
    private let waits: LatencyRecord
    private let loads = LatencyRecord(.operations)
    private let stores = LatencyRecord(.operations)
    private let deletes = LatencyRecord(.operations)

    init(_ mode: MapMode, watch: MapWatch? = nil, for options: MapOptions? = nil) {
        self.watch = watch
        rings = watch?.ringsAlone
        recordsLoads = rings?.takesReads == true && watch?.interest.contains(.reads) == true
        unsafe lentWatch = watch.map { unsafe .passUnretained($0) }
        let watched =
            watch.map { $0.interest.contains(.reads) ? OperationGate.watchesReads : OperationGate.watchesRest } ?? 0
        let chooses = options.map { $0.hash == .keyed ? 0 : OperationGate.choosesShard } ?? 0
        let deadlines = options?.ttlSeconds == nil ? 0 : OperationGate.setsDeadlines
        detours = Atomic((mode == .global ? OperationGate.isGlobal : 0) | watched | chooses | deadlines)
        waits = LatencyRecord(.lockWaits)
        lock = ShardLock(WaitRecord(waits, shard: nil))
    }

    /// Where the lock of a shard notes its waits.
    func waitRecord(shard: Int) -> WaitRecord { WaitRecord(waits, shard: shard) }

    var mode: MapMode { untimed.isGlobal ? .global : .normal }

    /// Operations that begin after this returns obey; those under way end as they began.
    func set(_ mode: MapMode) {
        switch mode {
        case .global: detours.bitwiseOr(OperationGate.isGlobal, ordering: .relaxed)
        case .normal: detours.bitwiseAnd(~OperationGate.isGlobal, ordering: .relaxed)
        }
    }

    /// Does an operation of a known kind on a key of `shard`: `body`, or `watched` when there is a watch over it. Two
    /// closures, so that the compiler knows in the first that nobody watches. `shard` is asked for only when the operation
    /// was timed, after its end.
    @inline(__always)
    func pass<R>(
        _ operation: TimedOperation, at shard: @autoclosure () -> Int, _ body: () -> R, watched: (OperationWatch) -> R
    ) -> R {
        let detour = detour(of: operation.observed)
        return pass(detour, operation.observed, as: { _ in operation }, at: shard(), body, watched: watched)
    }

    /// Does an operation of which the result says what it was, and of which the detour is known; `operation` is what it is
    /// until then.
    @inline(__always)
    func pass<R>(
        _ detour: Detour, _ operation: ObservedOperation, as timed: (R) -> TimedOperation,
        at shard: @autoclosure () -> Int, _ body: () -> R, watched: (OperationWatch) -> R
    ) -> R {
        if detour.isNeeded, detour.isWatched { return passWatched(detour, operation, timed, shard, watched) }
        return pass(detour, operation, as: timed, at: shard(), body)
    }

    /// Does an operation of a known kind on a map that nobody watches.
    @inlinable
    @inline(__always)
    func pass<R>(_ operation: TimedOperation, at shard: @autoclosure () -> Int, _ body: () -> R) -> R {
        pass(operation.observed, as: { _ in operation }, at: shard(), body)
    }

    /// Does an operation of which the result says what it was, on a map that nobody watches.
    @inlinable
    @inline(__always)
    func pass<R>(
        _ operation: ObservedOperation, as timed: (R) -> TimedOperation, at shard: @autoclosure () -> Int,
        _ body: () -> R
    ) -> R {
        pass(detour(of: operation), operation, as: timed, at: shard(), body)
    }

    /// `body` stands here once, so that it becomes part of whoever calls this.
    @inlinable
    @inline(__always)
    func pass<R>(
        _ detour: Detour, _ operation: ObservedOperation, as timed: (R) -> TimedOperation,
        at shard: @autoclosure () -> Int, _ body: () -> R
    ) -> R {
        let began = detour.isNeeded ? begin(detour, operation) : 0
        let result = body()
        if detour.isNeeded { end(detour, began, timed(result), shard: shard) }
        return result
    }

    /// What keeps an operation from the fast way.
    @usableFromInline
    struct Detour {
        @usableFromInline let reasons: UInt8
        @usableFromInline let isTimed: Bool

        @inlinable
        init(reasons: UInt8, isTimed: Bool) { (self.reasons, self.isTimed) = (reasons, isTimed) }

        @inlinable var isNeeded: Bool { reasons != 0 || isTimed }
        var isWatched: Bool { reasons & (OperationGate.watchesReads | OperationGate.watchesRest) != 0 }
        var isGlobal: Bool { reasons & OperationGate.isGlobal != 0 }
    }

    @inlinable
    @inline(__always)
    func detour(of operation: ObservedOperation) -> Detour {
        Detour(reasons: reasons(against: operation), isTimed: OperationGate.isSamplingDue)
    }

    @inlinable
    @inline(__always)
    func reasons(against operation: ObservedOperation) -> UInt8 {
        // What an operation need not know is masked out; a constant where the operation is one.
        detours.load(ordering: .relaxed) & ~OperationGate.irrelevant(to: operation)
    }

    @inlinable
    @inline(__always)
    static func irrelevant(to operation: ObservedOperation) -> UInt8 {
        switch operation {
        case .load: watchesRest | setsDeadlines
        case .delete: setsDeadlines
        default: 0
        }
    }

    /// Whether an operation may go the fast way. One that `isRecorded` on it may, though it is watched. If not, ask for its
    /// ``detourNow(of:isRecorded:)``.
    @inlinable
    @inline(__always)
    func isClear(for operation: ObservedOperation, isRecorded: Bool = false) -> Bool {
        // In this order, so that each is one branch; and no call, around which an operation would keep what it has.
        if _slowPath(reasons(against: operation, isRecorded) != 0) { return false }
        #if MAPWATCH_NO_COUNTERS
        return true
        #else
        return _fastPath(mapwatch_sampling_counts_on())
        #endif
    }

    /// The detour of an operation for which the way was not clear: a countdown that has ended is not asked twice.
    @usableFromInline
    func detourNow(of operation: ObservedOperation, isRecorded: Bool = false) -> Detour {
        #if MAPWATCH_NO_COUNTERS
        let isDue = false
        #else
        let isOver = reasons(against: operation, isRecorded) == 0
        let isDue = isOver ? mapwatch_sampling_restart() : OperationGate.isSamplingDue
        #endif
        return Detour(reasons: reasons(against: operation), isTimed: isDue)
    }

    @inlinable
    @inline(__always)
    func reasons(against operation: ObservedOperation, _ isRecorded: Bool) -> UInt8 {
        reasons(against: operation) & (isRecorded ? ~(OperationGate.watchesReads | OperationGate.watchesRest) : .max)
    }

    /// Takes the map's one lock and reads the clock, as far as the detour says so; returns the time.
    @inline(never)
    @usableFromInline
    func begin(_ detour: Detour, _ operation: ObservedOperation) -> UInt64 {
        let began = detour.isTimed ? MonotonicClock.nanoseconds() : 0
        if detour.isGlobal { lock.lock(as: operation.access) }
        return began
    }

    /// Undoes what ``begin(_:_:)`` did.
    @inline(never)
    @usableFromInline
    func end(_ detour: Detour, _ began: UInt64, _ operation: TimedOperation, shard: () -> Int) {
        if detour.isGlobal { lock.unlock() }
        if detour.isTimed { note(operation, began, shard: shard()) }
    }

    @inline(never)
    private func passWatched<R>(
        _ detour: Detour, _ operation: ObservedOperation, _ timed: (R) -> TimedOperation, _ shard: () -> Int,
        _ watched: (OperationWatch) -> R
    ) -> R {
        let began = detour.isTimed ? MonotonicClock.nanoseconds() : 0
        let result = watching(detour, operation, isTimed: detour.isTimed, watched)
        if detour.isTimed { note(timed(result), began, shard: shard()) }
        return result
    }

    private func note(_ operation: TimedOperation, _ began: UInt64, shard: Int) {
        let end = MonotonicClock.nanoseconds()
        record(operation).record(end &- began, endedAt: end, shard: shard)
    }

    /// Does something that is no operation (a count) in the mode's order, and times nothing.
    @inline(__always)
    func passUnwatched<R>(as access: LockAccess, _ body: () -> R) -> R { inOrder(of: untimed, as: access, body) }

    /// Does a step of a walk or of a sweep in the mode's order, and times nothing. With `isReported` false the observer
    /// does not hear of its end.
    func passUntimed<R>(
        _ operation: ObservedOperation, isReported: Bool = true, _ body: (OperationWatch?) -> R
    ) -> R {
        let detour = untimed
        guard detour.isWatched else { return inOrder(of: detour, as: operation.access) { body(nil) } }
        return watching(detour, operation, isReported: isReported) { body($0) }
    }

    private var untimed: Detour { Detour(reasons: detours.load(ordering: .relaxed), isTimed: false) }

    /// Under the map's one lock in mode `global`.
    @inline(__always)
    private func inOrder<R>(of detour: Detour, as access: LockAccess, _ body: () -> R) -> R {
        detour.isGlobal ? lock.withLock(as: access, body) : body()
    }

    @inline(__always)
    private func watching<R>(
        _ detour: Detour, _ operation: ObservedOperation, isTimed: Bool = false, isReported: Bool = true,
        _ watched: (OperationWatch) -> R
    ) -> R {
        guard let watch = unsafe lentWatch else { fatalError("a map is watched by nobody") }
        return unsafe watch._withUnsafeGuaranteedRef { watch in
            watch.watching(operation, isTimed: isTimed, isReported: isReported) { watch in
                inOrder(of: detour, as: operation.access) { watched(watch) }
            }
        }
    }

    /// Counts this thread down to the next operation that is timed.
    @inlinable static var isSamplingDue: Bool {
        @inline(__always) get {
            #if MAPWATCH_NO_COUNTERS
            false
            #else
            mapwatch_sampling_is_due()
            #endif
        }
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
        _ shards: borrowing Shards<Guard, Table>, now: UInt64
    ) -> (shards: [ShardSample], lockWaits: LatencySample) {
        var samples: [ShardSample] = []
        samples.reserveCapacity(shards.count)
        for index in 0..<shards.count { samples.append(shards[index].sample(now: now)) }
        samples[0].add(lock.meter.sample(now: now))
        var lockWaits = waits.sample
        // The cells of the sum may have moved since they were read for the shards' rows.
        lockWaits.sumNanoseconds = samples.reduce(0) { $0 &+ $1.lockWaitNanoseconds }
        return (samples, lockWaits)
    }

    /// The durations of the operations that were timed.
    var timings: OperationTimings {
        OperationTimings(loads: loads.sample, stores: stores.sample, deletes: deletes.sample)
    }
}
