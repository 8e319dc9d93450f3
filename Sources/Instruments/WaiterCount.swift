import Synchronization

// How many wait now, and since when somebody has, in one word, so that no reader ever sees the one without the other:
//
//     63                                  20 19            0
//     ├── microseconds, when 0 became 1 ────┤├── waiters ───┤
//
// The microseconds are those of the monotonic clock modulo 2⁴⁴ (203 days): a stall is their distance from now.

/// The threads that wait for one lock now.
///
/// Concurrency: any thread. Cost: one locked instruction to come, one to leave.
struct WaiterCount: ~Copyable, Sendable {
    private static let countBits: UInt64 = 20
    private static let countMask: UInt64 = 1 << countBits - 1
    private static let timeMask: UInt64 = 1 << (64 - countBits) - 1

    private let word = Atomic<UInt64>(0)

    /// One more waits; `now` is kept when it is the only one.
    func enter(now: UInt64) {
        let alone = (now / 1_000 & WaiterCount.timeMask) << WaiterCount.countBits | 1
        var seen = word.load(ordering: .relaxed)
        while true {
            let desired = seen & WaiterCount.countMask == 0 ? alone : seen &+ 1
            let result = word.weakCompareExchange(expected: seen, desired: desired, ordering: .relaxed)
            if result.exchanged { return }
            seen = result.original
        }
    }

    /// One fewer waits.
    func leave() { word.wrappingSubtract(1, ordering: .relaxed) }

    /// How many wait.
    var count: UInt64 { word.load(ordering: .relaxed) & WaiterCount.countMask }

    /// How many wait, and for how many nanoseconds there has been at least one; within a microsecond.
    func reading(now: UInt64) -> (count: UInt64, stallNanoseconds: UInt64) {
        let seen = word.load(ordering: .relaxed)
        let count = seen & WaiterCount.countMask
        guard count > 0 else { return (0, 0) }
        let distance = (now / 1_000 &- seen >> WaiterCount.countBits) & WaiterCount.timeMask
        // A wait that began after `now` was read lies just behind it.
        return (count, distance > WaiterCount.timeMask / 2 ? 0 : distance * 1_000)
    }
}
