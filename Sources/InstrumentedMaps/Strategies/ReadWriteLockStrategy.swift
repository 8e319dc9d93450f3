package import Instruments

/// `rwlock`: one lock that readers share and a writer has alone (the articles' `RWMutex` around a map, row M1).
///
/// Each operation on one key is linearizable.
package struct SharedGuard: ShardGuard, ~Copyable {
    package var readersShare: Bool { true }

    private let lock: ReadWriteLock

    package init(_ waits: WaitRecord?) { lock = ReadWriteLock(waits) }

    package borrowing func exclusively<R>(_ body: () -> R) -> R { lock.withExclusiveLock(body) }

    package borrowing func exclusivelySoon<R>(_ body: () -> R) -> R? {
        guard lock.enterExclusiveSoon() else { return nil }
        defer { lock.leaveExclusive() }
        return body()
    }

    package borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R {
        lock.withSharedLock(as: access, body)
    }

    package borrowing func sample(now: UInt64) -> LockSample { lock.meter.sample(now: now) }

    package borrowing func add(to glance: inout ShardGlance) { lock.meter.add(to: &glance) }

    package var waiters: UInt64 { lock.meter.waiters }
}
