import Instruments

/// What time it is for entries that expire, in ticks of a tenth of a second.
///
/// A tick and not a nanosecond, so that a deadline takes four bytes of a record; they last for 13 years since the
/// machine's start. Read only where an entry with a deadline is met (3 ns). Any thread.
struct ExpiryClock: Sendable {
    private static let nanosecondsPerTick: UInt64 = 100_000_000

    /// The kernel's coarse monotonic clock.
    static let system = ExpiryClock(nanoseconds: MonotonicClock.coarseNanoseconds)

    private let nanoseconds: @Sendable () -> UInt64

    /// `nanoseconds` only ever grow.
    init(nanoseconds: @escaping @Sendable () -> UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The tick that has begun last.
    var now: UInt32 { ExpiryClock.tick(nanoseconds() / ExpiryClock.nanosecondsPerTick) }

    /// The first tick that is wholly `seconds` away: an entry never lives for less.
    func deadline(in seconds: Int) -> UInt32 {
        let end = nanoseconds() &+ UInt64(seconds) &* 1_000_000_000
        return ExpiryClock.tick((end &+ ExpiryClock.nanosecondsPerTick &- 1) / ExpiryClock.nanosecondsPerTick)
    }

    private static func tick(_ ticks: UInt64) -> UInt32 { UInt32(clamping: ticks) }
}
