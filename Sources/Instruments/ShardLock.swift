public import CSystem
public import Synchronization

// The lock of one shard: exclusive, try first, counted.
//
//     word:   3 2      1        0
//            access  asleep   held        0 is free; access is what the holder is at, for whoever finds it busy
//
//     lock ──0→held──▶ held                                (one locked instruction, one cell bumped, no clock)
//        └─ busy ─▶ waiters += 1, clock ─▶ spin ─▶ set asleep, sleep ─▶ … ─▶ held, the wait is counted
//
//     unlock: read the word, store 0, wake one if asleep   (no locked instruction at all)
//
// That unlock may miss an `asleep` that is set between its read and its store. Then nobody is woken, and for that a sleeper looks
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
    @usableFromInline static var asleep: UInt32 { 2 }
    @usableFromInline static var accessShift: UInt32 { 2 }

    @usableFromInline let word = Atomic<UInt32>(0)
    /// What the lock has counted; its plain cells are bumped under the lock itself.
    public let meter: LockMeter

    /// `waits` is where ended waits are noted by their length; nil for nowhere.
    public init(_ waits: WaitRecord? = nil) { meter = LockMeter(waits) }

    /// Runs `body`, which does `access`, while no other thread is inside this lock.
    @inlinable
    @inline(__always)
    public borrowing func withLock<R: ~Copyable, Failure: Error>(
        as access: LockAccess = .write, _ body: () throws(Failure) -> R
    ) throws(Failure) -> R {
        lock(as: access)
        defer { unlock() }
        return try body()
    }

    /// How often the lock was taken; nil while somebody has it or sleeps at it. Whoever gets the same number twice knows
    /// that nothing which is changed under the lock has changed between.
    public var acquisitionsAtRest: UInt64? {
        // In this order: a number that is seen before the lock is seen free is not that of somebody inside.
        let acquired = meter.acquired.value
        return word.load(ordering: .acquiring) == ShardLock.free ? acquired : nil
    }

    /// Waits until this thread has the lock, for `access`; ``unlock()`` must follow.
    @inlinable
    @inline(__always)
    public borrowing func lock(as access: LockAccess = .write) {
        if let found = tryLock(as: access) { lock(as: access, found: found) }
    }

    /// Takes the lock for `access` if it is free: nil then, and ``unlock()`` must follow. Else the word that it found, which
    /// ``lock(as:found:)`` wants.
    @inlinable
    @inline(__always)
    package borrowing func tryLock(as access: LockAccess) -> UInt32? {
        let first = take(ShardLock.word(for: access))
        if _slowPath(!first.exchanged) { return first.original }
        meter.countExclusively()
        return nil
    }

    /// Waits until this thread has the lock, after ``tryLock(as:)`` has `found` it taken.
    @usableFromInline
    package borrowing func lock(as access: LockAccess, found: UInt32) {
        wait(for: access, found: found)
        meter.countExclusively()
    }

    /// Gives the lock back that this thread has.
    @inlinable
    @inline(__always)
    public borrowing func unlock() {
        let before = word.load(ordering: .relaxed)
        word.store(ShardLock.free, ordering: .releasing)
        // No method of the lock: whoever calls one keeps a register for that, on the way that does not, too.
        // Safety: the kernel only looks the address up; the word may be gone by then, and then nobody sleeps there.
        if _slowPath(before & ShardLock.asleep != 0) {
            unsafe withUnsafePointer(to: word) { unsafe mapwatch_futex_wake_one($0) }
        }
    }

    /// The word of a lock that is held for `access`.
    @inlinable
    @inline(__always)
    static func word(for access: LockAccess) -> UInt32 { held | access.rawValue << accessShift }

    @inlinable
    @inline(__always)
    borrowing func take(_ desired: UInt32) -> (exchanged: Bool, original: UInt32) {
        word.compareExchange(
            expected: ShardLock.free, desired: desired, successOrdering: .acquiring, failureOrdering: .relaxed)
    }

    // MARK: - Waiting

    /// Tries before a thread goes to sleep: about two microseconds, a shard's critical section many times over.
    private static let spins = 64
    private static let longestSleep: UInt64 = 1_000_000

    /// Takes the lock, however long that takes, and counts the wait; `found` is the word that kept the first try out.
    @inline(never)
    private borrowing func wait(for access: LockAccess, found: UInt32) {
        let holder = LockAccess(rawValue: found >> ShardLock.accessShift)
        let desired = ShardLock.word(for: access)
        meter.clockWait(exclusively: true, averting: holder.flatMap(access.conflict)) {
            for _ in 0..<ShardLock.spins {
                mapwatch_pause()
                if word.load(ordering: .relaxed) == ShardLock.free, take(desired).exchanged { return }
            }
            while true {
                // Whoever has slept takes the lock with the hint in it: others may sleep still.
                let seen = word.load(ordering: .relaxed)
                if seen == ShardLock.free {
                    if take(desired | ShardLock.asleep).exchanged { return }
                } else if hint(seen) {
                    // Safety: the word has an address of its own for as long as the lock is borrowed.
                    unsafe withUnsafePointer(to: word) {
                        unsafe mapwatch_futex_wait($0, seen | ShardLock.asleep, ShardLock.longestSleep)
                    }
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
                if word.load(ordering: .relaxed) == ShardLock.free, take(ShardLock.word(for: .write)).exchanged {
                    meter.countExclusively()
                    return true
                }
                mapwatch_pause()
            }
            let seen = word.load(ordering: .relaxed)
            if seen == ShardLock.free { continue }
            // Safety: the word has an address of its own for as long as the lock is borrowed.
            unsafe withUnsafePointer(to: word) { unsafe mapwatch_futex_wait($0, seen, ShardLock.soonSleep) }
        }
        return false
    }

    /// Tells the holder, if it is still the one that was seen, that somebody is about to sleep.
    private borrowing func hint(_ seen: UInt32) -> Bool {
        seen & ShardLock.asleep != 0
            || word.compareExchange(expected: seen, desired: seen | ShardLock.asleep, ordering: .relaxed).exchanged
    }
}
