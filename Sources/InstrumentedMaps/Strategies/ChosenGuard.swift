public import Instruments

/// A guard whose strategy is chosen when the map is made: for maps whose code is compiled into other programs, where one
/// compiled path for all strategies costs a predicted branch and saves a copy of each operation.
@usableFromInline
struct ChosenGuard: ShardGuard, ~Copyable {
    /// Behind a class, because only maps of one shard have it.
    @usableFromInline
    final class Shared: Sendable {
        @usableFromInline let lock: ReadWriteLock

        init(_ waits: WaitRecord?) { lock = ReadWriteLock(waits) }
    }

    @usableFromInline let exclusive: ShardLock
    @usableFromInline let shared: Shared?

    @usableFromInline
    package init(_ waits: WaitRecord?) {
        exclusive = ShardLock(waits)
        shared = nil
    }

    init(_ strategy: MapStrategy, _ waits: WaitRecord?) {
        exclusive = ShardLock(waits)
        switch strategy {
        // No typed map is `checked`: see `ShardedMapError`.
        case .sharded, .checked: shared = nil
        case .rwlock: shared = Shared(waits)
        }
    }

    @inlinable package var readersShare: Bool { shared != nil }

    @inlinable
    @inline(__always)
    package borrowing func exclusively<R>(_ body: () -> R) -> R {
        // No `defer`: it is a function of its own where the two ways out part.
        if let shared { shared.lock.enterExclusive() } else { exclusive.lock() }
        let result = body()
        if let shared { shared.lock.leaveExclusive() } else { exclusive.unlock() }
        return result
    }

    @usableFromInline
    package borrowing func exclusivelySoon<R>(_ body: () -> R) -> R? {
        guard shared?.lock.enterExclusiveSoon() ?? exclusive.lockSoon() else { return nil }
        defer { if let shared { shared.lock.leaveExclusive() } else { exclusive.unlock() } }
        return body()
    }

    @inlinable
    @inline(__always)
    package borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R {
        if let shared { shared.lock.enterShared(as: access) } else { exclusive.lock(as: access) }
        let result = body()
        if let shared { shared.lock.leaveShared(as: access) } else { exclusive.unlock() }
        return result
    }

    @usableFromInline
    package var entrancesAtRest: UInt64? { shared == nil ? exclusive.acquisitionsAtRest : nil }

    @usableFromInline
    package borrowing func sample(now: UInt64) -> LockSample {
        shared?.lock.meter.sample(now: now) ?? exclusive.meter.sample(now: now)
    }

    @usableFromInline
    package borrowing func add(to glance: inout ShardGlance) {
        if let shared { shared.lock.meter.add(to: &glance) } else { exclusive.meter.add(to: &glance) }
    }

    @usableFromInline
    package var waiters: UInt64 { shared?.lock.meter.waiters ?? exclusive.meter.waiters }
}
