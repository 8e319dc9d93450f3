public import Instruments

/// How one shard is guarded: the point where the strategies differ, and the only one.
///
/// A strategy is one file that conforms a guard to this protocol; table, counters, iterators and snapshots are the same
/// for all of them.
@usableFromInline
package protocol ShardGuard: ~Copyable, Sendable {
    /// Whether two readers may be inside at once. If so, the cells that readers bump take atomic adds.
    var readersShare: Bool { get }

    /// `waits` is where the guard notes how long each wait for it was.
    init(_ waits: WaitRecord?)

    /// Runs `body`, which writes, with nobody else inside.
    borrowing func exclusively<R>(_ body: () -> R) -> R

    /// Runs `body` with nobody else inside, or not at all (nil) when somebody stays inside for some milliseconds: for work
    /// that can be left for later, which must not hang on one shard while others could be tidied.
    borrowing func exclusivelySoon<R>(_ body: () -> R) -> R?

    /// Runs `body`, which does `access` and does not write, with no writer inside.
    borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R

    /// Whether one goes in and out by the next three too. They are for code that must be short: whoever finds somebody inside
    /// goes on elsewhere, so that nothing on the straight way stands around a call.
    static var hasStraightWay: Bool { get }

    /// Lets the caller in for `access` if nobody is inside: nil then, and ``leave()`` must follow. Else what it found.
    borrowing func tryEnter(as access: LockAccess) -> UInt32?

    /// Waits, and counts that, after ``tryEnter(as:)`` has `found` somebody.
    borrowing func enter(as access: LockAccess, found: UInt32)

    borrowing func leave()

    /// ``exclusively(_:)`` for an operation that is watched; nil when the guard refuses it, and `body` was not run.
    borrowing func exclusively<R>(for watch: OperationWatch, _ body: () -> R) -> R?

    /// ``sharing(as:_:)`` for an operation that is watched; nil when the guard refuses it, and `body` was not run.
    borrowing func sharing<R>(as access: LockAccess, for watch: OperationWatch, _ body: () -> R) -> R?

    /// How often the guard was entered; nil while somebody is inside, or when the guard does not know. Whoever gets the same
    /// number twice knows that nothing behind the guard has changed between.
    var entrancesAtRest: UInt64? { get }

    /// What the guard has counted, each cell read relaxed and without taking the guard; `now` is the monotonic clock's.
    borrowing func sample(now: UInt64) -> LockSample

    /// Adds what a glance shows of that, but for the waiters.
    borrowing func add(to glance: inout ShardGlance)

    /// Threads that wait to be let in.
    var waiters: UInt64 { get }
}

extension ShardGuard where Self: ~Copyable {
    /// Waits, for guards that cannot do otherwise.
    @usableFromInline
    package borrowing func exclusivelySoon<R>(_ body: () -> R) -> R? { exclusively(body) }

    /// No: by closures alone.
    @inlinable package static var hasStraightWay: Bool { false }

    @usableFromInline
    package borrowing func tryEnter(as access: LockAccess) -> UInt32? { fatalError("a guard without a straight way") }

    @usableFromInline
    package borrowing func enter(as access: LockAccess, found: UInt32) { fatalError("a guard without a straight way") }

    @usableFromInline
    package borrowing func leave() { fatalError("a guard without a straight way") }

    /// Unknown.
    @usableFromInline
    package var entrancesAtRest: UInt64? { nil }

    /// Of the whole sample, for guards that have nothing cheaper.
    @usableFromInline
    package borrowing func add(to glance: inout ShardGlance) {
        let lock = sample(now: 0)
        glance.lockAcquired &+= lock.acquired
        glance.lockContended &+= lock.contended
        glance.lockWaitNanoseconds &+= lock.waitNanoseconds
    }

    @usableFromInline
    package var waiters: UInt64 { sample(now: 0).waiters }
}

/// A guard that refuses nothing.
extension ShardGuard where Self: ~Copyable {
    @inlinable
    package borrowing func exclusively<R>(for watch: OperationWatch, _ body: () -> R) -> R? { exclusively(body) }

    @inlinable
    package borrowing func sharing<R>(as access: LockAccess, for watch: OperationWatch, _ body: () -> R) -> R? {
        sharing(as: access, body)
    }
}
