// The conflicts of one map over the last hour, in minutes of its own:
//
//     first sample ──▶ │ 3 │ 0 │ 0 │ 1 │ … │ 2 │ 1 ▒ ◀── the minute under way counts for the rate,
//                        └── at most 60, whole ──┘        and not yet for the dispersion
//
// An hour, so that last week's accident is no forecast for today; whole minutes, so that a burst of a hundred conflicts in
// one second is one odd minute and not a hundred independent events.

/// The counts from which one map's conflicts are forecast.
///
/// A pure value: totals and instants are handed in. Cost: constant for each sample; some 500 bytes.
struct ConflictHistory: Sendable {
    /// Seconds of one window.
    static let windowSeconds: UInt64 = 60
    /// Windows that are kept: an hour.
    static let windowLimit = 60
    private static let windowNanoseconds = windowSeconds * 1_000_000_000

    private var total: UInt64
    /// Monotonic time at which the window under way began.
    private var windowBegin: UInt64
    private var now: UInt64
    private var current: UInt64 = 0
    /// Whole windows, oldest first.
    private var windows: [UInt64] = []

    /// Begins with what the counter showed at `now`: what was before is not known by the minute.
    init(total: UInt64, atNanoseconds now: UInt64) {
        self.total = total
        windowBegin = now
        self.now = now
    }

    /// Takes the counter's next reading; the conflicts since the last one count for the window in which they were seen.
    mutating func append(total: UInt64, atNanoseconds now: UInt64) {
        guard now >= self.now else { return }
        self.now = now
        // After two hours without a sample nothing of the old windows is left.
        var behind = min(
            (now - windowBegin) / ConflictHistory.windowNanoseconds, 2 * UInt64(ConflictHistory.windowLimit))
        windowBegin = now - (now - windowBegin) % ConflictHistory.windowNanoseconds
        while behind > 0 {
            windows.append(current)
            current = 0
            behind -= 1
        }
        if windows.count > ConflictHistory.windowLimit {
            windows.removeFirst(windows.count - ConflictHistory.windowLimit)
        }
        current += total >= self.total ? total - self.total : 0
        self.total = total
    }

    /// Conflicts in all windows and in the one under way.
    private var conflicts: UInt64 { windows.reduce(current, +) }

    private var seconds: Double {
        Double(UInt64(windows.count) * ConflictHistory.windowSeconds) + Double(now - windowBegin) / 1e9
    }

    var rate: ConflictRate { ConflictRate(conflicts: conflicts, seconds: seconds) }

    /// Variance over mean of the counts in whole windows; nil with fewer than two windows or no conflict in them.
    var dispersionRatio: Double? {
        guard windows.count > 1 else { return nil }
        let mean = Double(windows.reduce(0, +)) / Double(windows.count)
        guard mean > 0 else { return nil }
        let squares = windows.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return squares / Double(windows.count - 1) / mean
    }
}
