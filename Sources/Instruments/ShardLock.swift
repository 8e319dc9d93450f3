import CSystem
public import Synchronization

// The lock of one shard: exclusive, try first, counted.
//
//     word:  0 free   1 held   2 held, and somebody may be asleep
//
//     lock ──0→1──▶ held                                   (one locked instruction, one cell bumped, no clock)
//        └─ busy ─▶ waiters += 1, clock ─▶ spin 0→1 ─▶ word := 2, sleep ─▶ … ─▶ held, the wait is counted
//
//     unlock: read the word, store 0, wake one if it was 2  (no locked instruction at all)
//
// That unlock may miss a 2 that is set between its read and its store. Then nobody is woken, and for that a sleeper looks
// again by itself after a millisecond: exclusion never depends on it, only how soon a sleeper gets on. The exchange that
// would close the gap costs 5 ns for each operation on each map.
//
// Not `Synchronization.Mutex`: with more threads than cores it takes 13–29 µs an operation (swiftlang/swift#88440), and
// ThreadSanitizer reports false races under it. Not pthread: its lock and unlock are two locked instructions and two
// calls. Acquire and release are `Atomic`'s, so ThreadSanitizer follows them.

/// A mutual exclusion lock that counts its acquisitions and clocks its waits.
///
/// Concurrency: any thread; not recursive; a running thread may overtake a sleeping one, which looks again at least once
/// a millisecond. Cost: about 5 ns uncontended, two clock readings more when contended.
@safe
public struct ShardLock: ~Copyable, Sendable {
    @usableFromInline static var free: UInt32 { 0 }
    @usableFromInline static var held: UInt32 { 1 }
    @usableFromInline static var contested: UInt32 { 2 }

    @usableFromInline let word = Atomic<UInt32>(0)
    /// What the lock has counted; its plain cells are bumped under the lock itself.
    public let meter: LockMeter

    /// `waits` is where ended waits are noted by their length; nil for nowhere.
    public init(_ waits: WaitRecord? = nil) { meter = LockMeter(waits) }

    /// Runs `body` while no other thread is inside this lock.
    @inlinable
    @inline(__always)
    public borrowing func withLock<R: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> R
    ) throws(Failure) -> R {
        lock()
        defer { unlock() }
        return try body()
    }

    /// Waits until this thread has the lock; ``unlock()`` must follow.
    @inlinable
    @inline(__always)
    public borrowing func lock() {
        if !tryLock() { wait() }
        meter.countExclusively()
    }

    /// Gives the lock back that this thread has.
    @inlinable
    @inline(__always)
    public borrowing func unlock() {
        let before = word.load(ordering: .relaxed)
        word.store(ShardLock.free, ordering: .releasing)
        if before == ShardLock.contested { wakeOne() }
    }

    @inlinable
    @inline(__always)
    borrowing func tryLock() -> Bool {
        word.compareExchange(
            expected: ShardLock.free, desired: ShardLock.held, successOrdering: .acquiring, failureOrdering: .relaxed
        ).exchanged
    }

    // MARK: - Waiting

    /// Tries before a thread goes to sleep: about two microseconds, a shard's critical section many times over.
    private static let spins = 64
    private static let longestSleep: UInt64 = 1_000_000

    /// Takes the lock, however long that takes, and counts the wait.
    @inline(never)
    @usableFromInline
    borrowing func wait() {
        meter.clockWait(exclusively: true) {
            for _ in 0..<ShardLock.spins {
                mapwatch_pause()
                if word.load(ordering: .relaxed) == ShardLock.free, tryLock() { return }
            }
            while word.exchange(ShardLock.contested, ordering: .acquiring) != ShardLock.free {
                // Safety: the word has an address of its own for as long as the lock is borrowed.
                unsafe withUnsafePointer(to: word) {
                    unsafe mapwatch_futex_wait($0, ShardLock.contested, ShardLock.longestSleep)
                }
            }
        }
    }

    /// Looks that ``lockSoon()`` takes, and the nanoseconds between them: about two milliseconds together, with what the
    /// kernel adds to a sleep.
    private static let soonLooks = 16
    private static let soonSleep: UInt64 = 60_000

    /// Takes the lock unless somebody keeps it for longer than about two milliseconds; ``unlock()`` must follow when it
    /// did. For work that can be left for later: it shows among no waiters and counts no wait.
    package borrowing func lockSoon() -> Bool {
        for _ in 0..<ShardLock.soonLooks {
            for _ in 0..<ShardLock.spins {
                if word.load(ordering: .relaxed) == ShardLock.free, tryLock() {
                    meter.countExclusively()
                    return true
                }
                mapwatch_pause()
            }
            // Safety: the word has an address of its own for as long as the lock is borrowed.
            unsafe withUnsafePointer(to: word) {
                unsafe mapwatch_futex_wait($0, ShardLock.held, ShardLock.soonSleep)
            }
        }
        return false
    }

    @inline(never)
    @usableFromInline
    borrowing func wakeOne() {
        // Safety: the kernel only looks the address up; the word may be gone by then, and then nobody sleeps there.
        unsafe withUnsafePointer(to: word) { unsafe mapwatch_futex_wake_one($0) }
    }
}
