import Glibc
import InstrumentedMaps
import Instruments

/// No lock at all.
struct NoGuard: ShardGuard, ~Copyable {
    var readersShare: Bool { true }

    init() {}

    borrowing func exclusively<R>(_ body: () -> R) -> R { body() }

    borrowing func sharing<R>(_ body: () -> R) -> R { body() }

    borrowing func sample(now: UInt64) -> LockSample { LockSample() }

    borrowing func addWaits(to sample: inout LatencySample) {}
}

/// Writers exclude each other, readers nobody.
struct UnguardedReads: ShardGuard, ~Copyable {
    var readersShare: Bool { true }

    private let lock = ShardLock()

    init() {}

    borrowing func exclusively<R>(_ body: () -> R) -> R { lock.withLock(body) }

    borrowing func sharing<R>(_ body: () -> R) -> R { body() }

    borrowing func sample(now: UInt64) -> LockSample { lock.meter.sample(now: now) }

    borrowing func addWaits(to sample: inout LatencySample) { lock.meter.addWaits(to: &sample) }
}

/// Readers exclude readers, writers exclude writers.
struct TwoLocks: ShardGuard, ~Copyable {
    var readersShare: Bool { false }

    private let readers = ShardLock()
    private let writers = ShardLock()

    init() {}

    borrowing func exclusively<R>(_ body: () -> R) -> R { writers.withLock(body) }

    borrowing func sharing<R>(_ body: () -> R) -> R { readers.withLock(body) }

    borrowing func sample(now: UInt64) -> LockSample { writers.meter.sample(now: now) }

    borrowing func addWaits(to sample: inout LatencySample) { writers.meter.addWaits(to: &sample) }
}

/// The right lock, from the wrong side.
struct SharedWrites: ShardGuard, ~Copyable {
    var readersShare: Bool { true }

    private let lock = ReadWriteLock()

    init() {}

    borrowing func exclusively<R>(_ body: () -> R) -> R { lock.withSharedLock(body) }

    borrowing func sharing<R>(_ body: () -> R) -> R { lock.withSharedLock(body) }

    borrowing func sample(now: UInt64) -> LockSample { lock.meter.sample(now: now) }

    borrowing func addWaits(to sample: inout LatencySample) { lock.meter.addWaits(to: &sample) }
}

/// Takes the lock, lets go, and only then works.
struct EarlyRelease: ShardGuard, ~Copyable {
    var readersShare: Bool { true }

    private let lock = ShardLock()

    init() {}

    borrowing func exclusively<R>(_ body: () -> R) -> R {
        lock.withLock {}
        return body()
    }

    borrowing func sharing<R>(_ body: () -> R) -> R { lock.withLock(body) }

    borrowing func sample(now: UInt64) -> LockSample { lock.meter.sample(now: now) }

    borrowing func addWaits(to sample: inout LatencySample) { lock.meter.addWaits(to: &sample) }
}

/// Locks, but for one write in a thousand.
struct SkippedLock: ShardGuard, ~Copyable {
    var readersShare: Bool { false }

    private let lock = ShardLock()
    private let turn = EveryNth(1_000)

    init() {}

    borrowing func exclusively<R>(_ body: () -> R) -> R { turn.comes() ? body() : lock.withLock(body) }

    borrowing func sharing<R>(_ body: () -> R) -> R { lock.withLock(body) }

    borrowing func sample(now: UInt64) -> LockSample { lock.meter.sample(now: now) }

    borrowing func addWaits(to sample: inout LatencySample) { lock.meter.addWaits(to: &sample) }
}

/// Waits for somebody who is inside to leave, but not for ever.
struct ImpatientWriter: ShardGuard, ~Copyable {
    var readersShare: Bool { false }

    private let lock = ShardLock()
    private let inside = Counter()

    init() {}

    borrowing func exclusively<R>(_ body: () -> R) -> R {
        for _ in 0..<20 where inside.value > 0 { sched_yield() }
        guard inside.value == 0 else { return body() }
        return enter(body)
    }

    borrowing func sharing<R>(_ body: () -> R) -> R { enter(body) }

    private borrowing func enter<R>(_ body: () -> R) -> R {
        lock.withLock {
            inside.add()
            defer { inside.subtract() }
            return body()
        }
    }

    borrowing func sample(now: UInt64) -> LockSample { lock.meter.sample(now: now) }

    borrowing func addWaits(to sample: inout LatencySample) { lock.meter.addWaits(to: &sample) }
}
