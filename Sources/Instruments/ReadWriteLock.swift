import CSystem
public import Synchronization

// A lock that readers share and a writer has alone: one futex word, tried first, counted like `ShardLock`.
//
//      31       30      29        28       27 … 0
//     writer   claim   asleep   draining   readers inside
//
//     reader: no writer, no claim ──▶ readers += 1 ──▶ inside ──▶ readers −= 1; the last one wakes the writer that drains
//     writer: no writer, no claim ──▶ writer := 1 ──▶ (readers → 0: the drain) ──▶ inside ──▶ word := claim, wake one
//
// A writer that finds readers inside takes its bit at once: nobody comes after it, so a stream of readers cannot starve
// it. Once the bit is gone readers and writers have the same chance, so a stream of writers does not starve a reader
// either; and whoever has waited for 20 ms sets `claim`, which keeps out all who have not slept yet.
//
// `asleep` and `claim` are hints. A writer leaves by a plain store, which may wipe out a hint that is set just then; a
// sleeper looks again by itself after a millisecond, so a lost hint costs time and never exclusion.
//
// Not pthread_rwlock_t: its writer-preferring kind hands the lock from sleeper to sleeper, and with readers and writers
// by turns on two cores that is one switch of threads an operation (0.1 against 2 million operations a second). Every
// acquire and release is an `Atomic`'s, so ThreadSanitizer follows.

/// A lock that readers share and a writer has alone, with the same meter as ``ShardLock``.
///
/// Readers overlap, so what they count takes an atomic add (9 ns, and a shared cache line); that is the price that the
/// articles' `RWMutex` row pays too.
///
/// Concurrency: any thread; neither side is recursive; nobody is starved (a waiter of 20 ms is overtaken by sleepers
/// alone). Cost: about 10 ns uncontended for a writer, 25 for a reader.
@safe
public struct ReadWriteLock: ~Copyable, Sendable {
    @usableFromInline static var writer: UInt32 { 1 << 31 }
    @usableFromInline static var claim: UInt32 { 1 << 30 }
    @usableFromInline static var asleep: UInt32 { 1 << 29 }
    @usableFromInline static var draining: UInt32 { 1 << 28 }
    @usableFromInline static var readers: UInt32 { 1 << 28 - 1 }

    @usableFromInline let word = Atomic<UInt32>(0)
    /// Where the one writer that waits for readers to leave sleeps; grows by one when they have left.
    @usableFromInline let drains = Atomic<UInt32>(0)
    /// How many of the readers inside iterate: they say so as they come and go, which their walk does not feel. The word
    /// says everything else that a writer wants to know of those who keep it out.
    @usableFromInline let iterating = Atomic<UInt32>(0)
    /// What the lock has counted, readers and writers together.
    public let meter: LockMeter

    /// `waits` is where ended waits are noted by their length; nil for nowhere.
    public init(_ waits: WaitRecord? = nil) { meter = LockMeter(waits) }

    /// Runs `body` while no other thread is inside this lock.
    @inlinable
    @inline(__always)
    public borrowing func withExclusiveLock<R: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> R
    ) throws(Failure) -> R {
        enterExclusive()
        defer { leaveExclusive() }
        return try body()
    }

    /// Runs `body`, which does `access`, while no writer is inside this lock; other readers may be.
    @inlinable
    @inline(__always)
    public borrowing func withSharedLock<R: ~Copyable, Failure: Error>(
        as access: LockAccess = .read, _ body: () throws(Failure) -> R
    ) throws(Failure) -> R {
        enterShared(as: access)
        defer { leaveShared(as: access) }
        return try body()
    }

    /// Waits until this thread is alone inside; ``leaveExclusive()`` must follow.
    @inlinable
    @inline(__always)
    public borrowing func enterExclusive() {
        let first = word.compareExchange(
            expected: 0, desired: ReadWriteLock.writer, successOrdering: .acquiring, failureOrdering: .relaxed)
        if !first.exchanged { waitForExclusive(found: first.original) }
        meter.countExclusively()
    }

    /// Waits until no writer is inside; ``leaveShared(as:)`` must follow, with the same `access`, which does not write.
    @inlinable
    @inline(__always)
    public borrowing func enterShared(as access: LockAccess = .read) {
        let first = enter(as: 1, hasSlept: false)
        if !first.isInside { waitForShared(for: access, found: first.seen) }
        if access == .iterate { iterating.wrappingAdd(1, ordering: .relaxed) }
        meter.countShared()
    }

    /// Ends ``enterExclusive()``.
    @inlinable
    @inline(__always)
    public borrowing func leaveExclusive() {
        let before = word.load(ordering: .relaxed)
        word.store(before & ReadWriteLock.claim, ordering: .releasing)
        if before & ReadWriteLock.asleep != 0 { wakeOne() }
    }

    /// Ends ``enterShared(as:)``.
    @inlinable
    @inline(__always)
    public borrowing func leaveShared(as access: LockAccess = .read) {
        if access == .iterate { iterating.wrappingSubtract(1, ordering: .relaxed) }
        let left = word.wrappingSubtract(1, ordering: .releasing).newValue
        if left & (ReadWriteLock.asleep | ReadWriteLock.draining) != 0 { wakeAfterReader(left) }
    }

    /// Adds a reader (`amount` 1) or sets the writer's bit, unless a writer or, for one who has not slept, a claim keeps
    /// out: `seen` says who. Fails for no other reason: that a reader came or went meanwhile only means to look again.
    @inlinable
    @inline(__always)
    borrowing func enter(as amount: UInt32, hasSlept: Bool) -> (isInside: Bool, seen: UInt32) {
        // Most often nobody is there: asked so, the cache line comes for writing at once.
        var seen: UInt32 = 0
        repeat {
            let desired = (seen & ~ReadWriteLock.claim | (hasSlept ? ReadWriteLock.asleep : 0)) &+ amount
            let result = word.compareExchange(
                expected: seen, desired: desired, successOrdering: .acquiring, failureOrdering: .relaxed)
            if result.exchanged { return (true, seen) }
            seen = result.original
        } while seen & ReadWriteLock.closed(to: hasSlept) == 0
        return (false, seen)
    }

    /// The bits that keep a thread out.
    @inlinable
    @inline(__always)
    static func closed(to hasSlept: Bool) -> UInt32 { hasSlept ? writer : writer | claim }

    // MARK: - Waiting

    /// Tries before a thread goes to sleep: a few microseconds.
    private static let spins = 64
    private static let longestSleep: UInt64 = 1_000_000
    /// How long a thread waits before it claims the lock.
    private static let patience: UInt64 = 20_000_000

    /// Looks that ``enterExclusiveSoon()`` takes, and the nanoseconds between them: about two milliseconds together.
    private static let soonLooks = 16
    private static let soonSleep: UInt64 = 60_000

    /// Enters alone unless a writer stays inside for longer than about two milliseconds; ``leaveExclusive()`` must follow
    /// when it did. For work that can be left for later: it shows among no waiters and counts no wait. Readers inside are
    /// waited for, since nobody can enter behind them meanwhile.
    package borrowing func enterExclusiveSoon() -> Bool {
        for _ in 0..<ReadWriteLock.soonLooks {
            for _ in 0..<ReadWriteLock.spins {
                if enter(as: ReadWriteLock.writer, hasSlept: false).isInside {
                    drain()
                    meter.countExclusively()
                    return true
                }
                mapwatch_pause()
            }
            sleep(at: word, word.load(ordering: .relaxed), for: ReadWriteLock.soonSleep)
        }
        return false
    }

    @inline(never)
    @usableFromInline
    borrowing func waitForExclusive(found: UInt32) {
        meter.clockWait(exclusively: true, averting: conflict(of: .write, found)) {
            waitToEnter(as: ReadWriteLock.writer)
            drain()
        }
    }

    @inline(never)
    @usableFromInline
    borrowing func waitForShared(for access: LockAccess, found: UInt32) {
        meter.clockWait(exclusively: false, averting: conflict(of: access, found)) { waitToEnter(as: 1) }
    }

    /// What the lock averts by keeping `access` out of a word; nil when nobody is inside, or only readers beside another.
    private borrowing func conflict(of access: LockAccess, _ found: UInt32) -> ConflictKind? {
        if found & ReadWriteLock.writer != 0 { return access.conflict(with: .write) }
        guard found & ReadWriteLock.readers != 0 else { return nil }
        return access.conflict(with: iterating.load(ordering: .relaxed) > 0 ? .iterate : .read)
    }

    /// Spins, then sleeps, until it is in.
    private borrowing func waitToEnter(as amount: UInt32) {
        for _ in 0..<ReadWriteLock.spins {
            let isOpen = word.load(ordering: .relaxed) & ReadWriteLock.closed(to: false) == 0
            if isOpen, enter(as: amount, hasSlept: false).isInside { return }
            mapwatch_pause()
        }
        let start = MonotonicClock.nanoseconds()
        var hasSlept = false
        var hints = ReadWriteLock.asleep
        while !enter(as: amount, hasSlept: hasSlept).isInside {
            let seen = word.load(ordering: .relaxed)
            if seen & ReadWriteLock.closed(to: hasSlept) == 0 { continue }
            let expected = seen | hints
            let isSet = word.compareExchange(expected: seen, desired: expected, ordering: .relaxed).exchanged
            guard isSet else { continue }
            sleep(at: word, expected)
            hasSlept = true
            if MonotonicClock.nanoseconds() &- start > ReadWriteLock.patience { hints |= ReadWriteLock.claim }
        }
        // Whoever sleeps beside a reader may come in too; behind a writer it is woken when that one leaves.
        if hasSlept, amount == 1 { wakeOne() }
    }

    /// With the writer's bit taken: waits until the last reader has left.
    private borrowing func drain() {
        for _ in 0..<ReadWriteLock.spins {
            if word.load(ordering: .acquiring) & ReadWriteLock.readers == 0 { return }
            mapwatch_pause()
        }
        while true {
            let before = drains.load(ordering: .relaxed)
            let seen = word.bitwiseOr(ReadWriteLock.draining, ordering: .acquiring).newValue
            if seen & ReadWriteLock.readers == 0 { return }
            sleep(at: drains, before)
        }
    }

    /// For a reader that has left a word with hints in it.
    @inline(never)
    @usableFromInline
    borrowing func wakeAfterReader(_ left: UInt32) {
        guard left & ReadWriteLock.readers == 0 else { return }
        if left & ReadWriteLock.draining != 0 {
            drains.wrappingAdd(1, ordering: .relaxed)
            // Safety: as in `wakeOne`.
            unsafe withUnsafePointer(to: drains) { unsafe mapwatch_futex_wake_one($0) }
        } else if left & ReadWriteLock.writer == 0 {
            // The bit goes, or every reader to come would make a call for nobody; who wakes puts it back.
            let isMine = word.compareExchange(
                expected: left, desired: left & ~ReadWriteLock.asleep, ordering: .relaxed
            ).exchanged
            if isMine { wakeOne() }
        }
    }

    private borrowing func sleep(
        at address: borrowing Atomic<UInt32>, _ expected: UInt32, for longest: UInt64 = longestSleep
    ) {
        // Safety: the word has an address of its own for as long as the lock is borrowed.
        unsafe withUnsafePointer(to: address) {
            unsafe mapwatch_futex_wait($0, expected, longest)
        }
    }

    @inline(never)
    @usableFromInline
    borrowing func wakeOne() {
        // Safety: the kernel only looks the address up; the word may be gone by then, and then nobody sleeps there.
        unsafe withUnsafePointer(to: word) { unsafe mapwatch_futex_wake_one($0) }
    }
}
