/// What one lock has counted of itself: how often it was taken, how often somebody had to wait, and for how long.
///
/// The first try that succeeds touches one cell. Only a caller that must wait reads the clock, and it shows in
/// ``waiters`` from before it parks, so a stall is visible while it lasts and not only once it has ended.
public struct LockMeter: ~Copyable, Sendable {
    /// Acquisitions, contended or not.
    public let acquired = Counter()
    /// Acquisitions whose first try failed.
    public let contended = Counter()
    /// The sum of ended waits, once per waiter, so four threads that wait one second add four.
    public let waitNanoseconds = Counter()
    @usableFromInline let padding = CacheLinePadding()
    /// Threads that wait now, in a line of its own: they write it without holding the lock.
    public let waiters = Counter()
    @usableFromInline let end = CacheLinePadding()

    @inlinable public init() {}

    /// A copy of all cells, each read relaxed.
    public var sample: LockSample {
        LockSample(
            acquired: acquired.value, contended: contended.value, waitNanoseconds: waitNanoseconds.value,
            waiters: waiters.value)
    }

    /// Parks through `acquire` and returns how long that took, in nanoseconds.
    @inline(never)
    @usableFromInline
    func clockWait(_ acquire: () -> Void) -> UInt64 {
        // The clock first: whoever sees a waiter knows that its wait is being measured.
        let start = MonotonicClock.nanoseconds()
        waiters.add()
        acquire()
        let waited = MonotonicClock.nanoseconds() &- start
        waiters.subtract()
        return waited
    }
}

/// The readings of a ``LockMeter`` at one scrape.
public struct LockSample: Sendable, Equatable {
    public var acquired: UInt64
    public var contended: UInt64
    public var waitNanoseconds: UInt64
    public var waiters: UInt64

    public init(acquired: UInt64 = 0, contended: UInt64 = 0, waitNanoseconds: UInt64 = 0, waiters: UInt64 = 0) {
        self.acquired = acquired
        self.contended = contended
        self.waitNanoseconds = waitNanoseconds
        self.waiters = waiters
    }
}
