import InstrumentedMaps
import Instruments

/// A guard that guards nothing: the race that a sanitizer must find.
struct Unguarded: ShardGuard, ~Copyable {
    var readersShare: Bool { true }

    init(_ waits: WaitRecord?) {}

    borrowing func exclusively<R>(_ body: () -> R) -> R { body() }

    borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R { body() }

    borrowing func sample(now: UInt64) -> LockSample { LockSample() }
}
