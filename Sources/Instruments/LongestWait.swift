import Synchronization

// The longest wait of the last two minutes, in thirteen cells of ten seconds: twelve that have passed and the one that
// runs. A cell says which ten seconds it stands for, so nobody has to clear it:
//
//     63                        44 43                                 0
//     ├── tens of seconds mod 2²⁰ ┤├── longest wait, nanoseconds ──────┤
//
// So a wait is shown for 120 to 130 seconds after its end. Waits beyond 2⁴⁴ ns (4.9 hours) are shown as that.

/// The longest wait that ended within the last 120 seconds.
///
/// Concurrency: any thread. Cost: one load, and an exchange when the wait is the longest of its ten seconds.
struct LongestWait: ~Copyable, Sendable {
    private static let cellCount: UInt64 = 13
    private static let cellNanoseconds: UInt64 = 10_000_000_000
    private static let waitBits: UInt64 = 44
    private static let waitMask: UInt64 = 1 << waitBits - 1
    private static let tagMask: UInt64 = 1 << (64 - waitBits) - 1

    private let cells = InlineArray<13, Atomic<UInt64>> { _ in Atomic(0) }

    /// Notes a wait of so many nanoseconds that ends `now`.
    func record(_ nanoseconds: UInt64, now: UInt64) {
        let ten = now / LongestWait.cellNanoseconds
        let tag = ten & LongestWait.tagMask
        let wanted = tag << LongestWait.waitBits | min(nanoseconds, LongestWait.waitMask)
        let cell = Int(ten % LongestWait.cellCount)
        var seen = cells[cell].load(ordering: .relaxed)
        // With the same tag the longer wait is the larger word.
        while seen >> LongestWait.waitBits != tag || seen < wanted {
            let result = cells[cell].weakCompareExchange(expected: seen, desired: wanted, ordering: .relaxed)
            if result.exchanged { return }
            seen = result.original
        }
    }

    /// The longest wait that ended in the 120 seconds before `now`, in nanoseconds; 0 when there was none.
    func maximum(now: UInt64) -> UInt64 {
        let tag = now / LongestWait.cellNanoseconds & LongestWait.tagMask
        var maximum: UInt64 = 0
        for index in 0..<Int(LongestWait.cellCount) {
            let seen = cells[index].load(ordering: .relaxed)
            // One ahead: somebody noted a wait after `now` was read.
            let age = (tag &+ 1 &- seen >> LongestWait.waitBits) & LongestWait.tagMask
            if age <= LongestWait.cellCount { maximum = max(maximum, seen & LongestWait.waitMask) }
        }
        return maximum
    }
}
