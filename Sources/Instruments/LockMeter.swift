/// What one lock has counted of itself: how often it was taken, how often somebody had to wait, and for how long.
///
/// With `-D MAPWATCH_NO_COUNTERS`, which only the benchmarks set to learn what counting costs, nothing is counted.
///
/// The first try that succeeds touches one cell and no clock. Only a caller that must wait reads the clock, and it shows
/// among the waiters from before it spins or parks, so a stall is visible while it lasts and not only once it has ended.
public struct LockMeter: ~Copyable, Sendable {
    /// Acquisitions, contended or not.
    public let acquired = Counter()
    // Beside it, though seldom written, because whoever looks at a lock each second looks at these.
    /// Ended waits: as many as contended acquisitions.
    public let contended = Counter()
    /// Their sum, once per waiter.
    public let waitNanoseconds = Counter()
    @usableFromInline let padding = CacheLinePadding()
    // From here on only those write who wait or have waited; in lines of their own, because some do not hold the lock.
    private let waiting = WaiterCount()
    private let longest = LongestWait()
    private let record: WaitRecord?
    private let averted = AvertedConflictCounters()
    private let end = CacheLinePadding()

    /// `record` is where ended waits are noted by their length, beside what is counted here; nil for nowhere.
    public init(_ record: WaitRecord? = nil) { self.record = record }

    /// Threads that wait now.
    public var waiters: UInt64 { waiting.count }

    /// A copy of all cells, each read relaxed. `now` is ``MonotonicClock``'s; the longest wait depends on it.
    public func sample(now: UInt64) -> LockSample {
        let (waiters, stall) = waiting.reading(now: now)
        let contended = contended.value
        // Nobody ever waited: the other lines need not be fetched, of most shards at each sample.
        guard waiters > 0 || contended > 0 else { return LockSample(acquired: acquired.value) }
        return LockSample(
            acquired: acquired.value, contended: contended, waitNanoseconds: waitNanoseconds.value,
            waiters: waiters, longestWaitNanoseconds: max(stall, longest.maximum(now: now)), averted: averted.sample)
    }

    /// Waits through `acquire` and counts how long that took, and what the lock has just averted by not letting the
    /// caller in. `exclusively` says that the caller is alone inside the lock when `acquire` returns.
    @inline(never)
    @usableFromInline
    package func clockWait(exclusively: Bool, averting conflict: ConflictKind?, _ acquire: () -> Void) {
        #if MAPWATCH_NO_COUNTERS
        return acquire()
        #else
        // The clock first: whoever sees a waiter knows that its wait is being measured.
        let start = MonotonicClock.nanoseconds()
        if let conflict { averted.count(conflict) }
        beginWait(now: start)
        acquire()
        endWait(began: start, now: MonotonicClock.nanoseconds(), exclusively: exclusively)
        #endif
    }

    /// Counts one acquisition by whoever is alone inside the lock.
    @inlinable
    @inline(__always)
    package func countExclusively() {
        #if !MAPWATCH_NO_COUNTERS
        acquired.addExclusively()
        #endif
    }

    /// Counts one acquisition that others share.
    @inlinable
    @inline(__always)
    func countShared() {
        #if !MAPWATCH_NO_COUNTERS
        acquired.add()
        #endif
    }

    package func beginWait(now: UInt64) { waiting.enter(now: now) }

    package func endWait(began: UInt64, now: UInt64, exclusively: Bool) {
        let waited = now &- began
        if exclusively {
            contended.addExclusively()
            waitNanoseconds.addExclusively(waited)
        } else {
            contended.add()
            waitNanoseconds.add(waited)
        }
        // Noted before the waiter goes: a scrape in between sees the wait twice rather than not at all.
        longest.record(waited, now: now)
        record?.note(waited, endedAt: now)
        waiting.leave()
    }
}

/// Where the waits for one lock are noted by their length: the map's record of them, and the lock's shard.
public struct WaitRecord: Sendable {
    private let waits: LatencyRecord
    private let shard: Int?

    /// `shard` is nil for a lock that belongs to no shard.
    public init(_ waits: LatencyRecord, shard: Int?) {
        self.waits = waits
        self.shard = shard
    }

    func note(_ nanoseconds: UInt64, endedAt now: UInt64) { waits.record(nanoseconds, endedAt: now, shard: shard) }
}

/// The readings of a ``LockMeter`` at one scrape.
public struct LockSample: Sendable, Equatable {
    public var acquired: UInt64
    /// Acquisitions whose first try failed.
    public var contended: UInt64
    /// The sum of ended waits, once per waiter, so four threads that wait one second add four.
    public var waitNanoseconds: UInt64
    /// Threads that wait now.
    public var waiters: UInt64
    /// The longest wait that ended within the last 120 s, or the time since which somebody has been waiting, whichever is
    /// longer.
    public var longestWaitNanoseconds: UInt64
    /// Who failed at the first try, by what would have happened without the lock.
    public var averted: AvertedConflicts

    public init(
        acquired: UInt64 = 0, contended: UInt64 = 0, waitNanoseconds: UInt64 = 0, waiters: UInt64 = 0,
        longestWaitNanoseconds: UInt64 = 0, averted: AvertedConflicts = AvertedConflicts()
    ) {
        self.acquired = acquired
        self.contended = contended
        self.waitNanoseconds = waitNanoseconds
        self.waiters = waiters
        self.longestWaitNanoseconds = longestWaitNanoseconds
        self.averted = averted
    }

    /// The readings of two locks together.
    public static func + (left: LockSample, right: LockSample) -> LockSample {
        LockSample(
            acquired: left.acquired &+ right.acquired, contended: left.contended &+ right.contended,
            waitNanoseconds: left.waitNanoseconds &+ right.waitNanoseconds, waiters: left.waiters &+ right.waiters,
            longestWaitNanoseconds: max(left.longestWaitNanoseconds, right.longestWaitNanoseconds),
            averted: left.averted &+ right.averted)
    }
}
