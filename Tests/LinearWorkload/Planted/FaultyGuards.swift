import Glibc
import InstrumentedMaps
import Instruments

/// No lock at all.
struct NoGuard: ShardGuard, ~Copyable {
    var readersShare: Bool { true }

    init(_ waits: WaitRecord?) {}

    borrowing func exclusively<R>(_ body: () -> R) -> R { body() }

    borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R { body() }

    borrowing func sample(now: UInt64) -> LockSample { LockSample() }
}

/// Writers exclude each other, readers nobody.
struct UnguardedReads: ShardGuard, ~Copyable {
    var readersShare: Bool { true }

    private let lock = ShardLock()

    init(_ waits: WaitRecord?) {}

    borrowing func exclusively<R>(_ body: () -> R) -> R { lock.withLock(body) }

    borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R { body() }

    borrowing func sample(now: UInt64) -> LockSample { lock.meter.sample(now: now) }
}

/// Readers exclude readers, writers exclude writers.
struct TwoLocks: ShardGuard, ~Copyable {
    var readersShare: Bool { false }

    private let readers = ShardLock()
    private let writers = ShardLock()

    init(_ waits: WaitRecord?) {}

    borrowing func exclusively<R>(_ body: () -> R) -> R { writers.withLock(body) }

    borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R { readers.withLock(body) }

    borrowing func sample(now: UInt64) -> LockSample { writers.meter.sample(now: now) }
}

/// The right lock, from the wrong side.
struct SharedWrites: ShardGuard, ~Copyable {
    var readersShare: Bool { true }

    private let lock = ReadWriteLock()

    init(_ waits: WaitRecord?) {}

    borrowing func exclusively<R>(_ body: () -> R) -> R { lock.withSharedLock(body) }

    borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R { lock.withSharedLock(body) }

    borrowing func sample(now: UInt64) -> LockSample { lock.meter.sample(now: now) }
}

/// Takes the lock, lets go, and only then works.
struct EarlyRelease: ShardGuard, ~Copyable {
    var readersShare: Bool { true }

    private let lock = ShardLock()

    init(_ waits: WaitRecord?) {}

    borrowing func exclusively<R>(_ body: () -> R) -> R {
        lock.withLock {}
        return body()
    }

    borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R { lock.withLock(body) }

    borrowing func sample(now: UInt64) -> LockSample { lock.meter.sample(now: now) }
}

/// Locks, but for one write in a thousand.
struct SkippedLock: ShardGuard, ~Copyable {
    var readersShare: Bool { false }

    private let lock = ShardLock()
    private let turn = EveryNth(1_000)

    init(_ waits: WaitRecord?) {}

    borrowing func exclusively<R>(_ body: () -> R) -> R { turn.comes() ? body() : lock.withLock(body) }

    borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R { lock.withLock(body) }

    borrowing func sample(now: UInt64) -> LockSample { lock.meter.sample(now: now) }
}

/// Waits for somebody who is inside to leave, but not for ever.
struct ImpatientWriter: ShardGuard, ~Copyable {
    var readersShare: Bool { false }

    private let lock = ShardLock()
    private let inside = Counter()

    init(_ waits: WaitRecord?) {}

    borrowing func exclusively<R>(_ body: () -> R) -> R {
        for _ in 0..<20 where inside.value > 0 { sched_yield() }
        guard inside.value == 0 else { return body() }
        return enter(body)
    }

    borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R { enter(body) }

    private borrowing func enter<R>(_ body: () -> R) -> R {
        lock.withLock {
            inside.add()
            defer { inside.subtract() }
            return body()
        }
    }

    borrowing func sample(now: UInt64) -> LockSample { lock.meter.sample(now: now) }
}
