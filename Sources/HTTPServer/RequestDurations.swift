/// How long a server's requests took, counted by size.
///
/// A value of a hundred bytes; whoever changes it holds the lock of the counters.
public struct RequestDurations: Sendable, Equatable {
    /// Upper bounds in nanoseconds, ascending: 100 µs to 30 s. Above the last is one bucket more.
    public static let bounds: [UInt64] = [
        100_000, 250_000, 1_000_000, 2_500_000, 10_000_000, 50_000_000, 250_000_000, 1_000_000_000, 5_000_000_000,
        30_000_000_000,
    ]

    /// By bucket, not cumulative.
    public private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    public private(set) var sumNanoseconds: UInt64 = 0

    mutating func add(_ nanoseconds: UInt64) {
        counts[RequestDurations.bounds.firstIndex { nanoseconds <= $0 } ?? RequestDurations.bounds.count] += 1
        sumNanoseconds &+= nanoseconds
    }
}
