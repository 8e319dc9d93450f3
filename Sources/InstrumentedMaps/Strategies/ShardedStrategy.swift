package import Instruments

/// `sharded`: one exclusive lock a shard, for reads and writes alike.
///
/// An uncontended exclusive lock is cheaper than a shared one (10 against 20 ns), and with enough shards two callers
/// seldom meet. Each operation on one key is linearizable; operations on several keys are not atomic together.
package struct ExclusiveGuard: ShardGuard, ~Copyable {
    package var readersShare: Bool { false }

    private let lock: ShardLock

    package init(_ waits: WaitRecord?) { lock = ShardLock(waits) }

    package borrowing func exclusively<R>(_ body: () -> R) -> R { lock.withLock(body) }

    package borrowing func exclusivelySoon<R>(_ body: () -> R) -> R? {
        guard lock.lockSoon() else { return nil }
        defer { lock.unlock() }
        return body()
    }

    package borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R {
        lock.withLock(as: access, body)
    }

    package static var hasStraightWay: Bool { true }

    @inline(__always)
    package borrowing func tryEnter(as access: LockAccess) -> UInt32? { lock.tryLock(as: access) }

    package borrowing func enter(as access: LockAccess, found: UInt32) { lock.lock(as: access, found: found) }

    @inline(__always)
    package borrowing func leave() { lock.unlock() }

    package var entrancesAtRest: UInt64? { lock.acquisitionsAtRest }

    package borrowing func sample(now: UInt64) -> LockSample { lock.meter.sample(now: now) }

    @inline(__always)
    package borrowing func add(to glance: inout ShardGlance) { lock.meter.add(to: &glance) }

    package var waiters: UInt64 { lock.meter.waiters }
}
