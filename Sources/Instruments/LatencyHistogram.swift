/// The upper bounds of a latency histogram's buckets, ascending, in nanoseconds; above the last one is one bucket more.
public struct LatencyBounds: Sendable, Equatable {
    public let nanoseconds: [UInt64]

    /// More than ``LatencyHistogram/maximumBounds``, or bounds that do not ascend, are a programmer's mistake and trap.
    public init(nanoseconds: [UInt64]) {
        precondition(nanoseconds.count <= LatencyHistogram.maximumBounds, "too many bounds: \(nanoseconds.count)")
        precondition(zip(nanoseconds, nanoseconds.dropFirst()).allSatisfy { $0 < $1 }, "bounds do not ascend")
        self.nanoseconds = nanoseconds
    }

    /// Waits for a lock: 1 µs to 4 s.
    public static let lockWaits = LatencyBounds(
        nanoseconds: [
            1_000, 4_000, 16_000, 64_000, 256_000, 1_000_000, 4_000_000, 16_000_000, 64_000_000, 256_000_000,
            1_000_000_000, 4_000_000_000,
        ])

    /// Operations: 100 ns to 1 s.
    public static let operations = LatencyBounds(
        nanoseconds: [
            100, 250, 500, 1_000, 2_500, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
        ])
}

/// Counts latencies by size, in cells that a scrape reads without a lock.
///
/// Concurrency: as ``Counter``: ``record(_:)`` from any thread, ``recordExclusively(_:)`` under a lock that keeps everybody
/// else out who records. Cost: one walk over the bounds and two cells.
public struct LatencyHistogram: ~Copyable, Sendable {
    public static let maximumBounds = 12

    public let bounds: LatencyBounds
    private let counts = InlineArray<13, Counter> { _ in Counter() }
    private let sum = Counter()

    public init(_ bounds: LatencyBounds) { self.bounds = bounds }

    /// Adds one latency.
    public func record(_ nanoseconds: UInt64) {
        counts[bucket(nanoseconds)].add()
        sum.add(nanoseconds)
    }

    /// Adds one latency without a locked instruction.
    public func recordExclusively(_ nanoseconds: UInt64) {
        counts[bucket(nanoseconds)].addExclusively()
        sum.addExclusively(nanoseconds)
    }

    /// The sum of all latencies, in nanoseconds.
    public var sumNanoseconds: UInt64 { sum.value }

    /// How many there were.
    public var count: UInt64 {
        var count: UInt64 = 0
        for index in 0...bounds.nanoseconds.count { count &+= counts[index].value }
        return count
    }

    /// Adds what was counted here to `sample`, which must have the same bounds; each cell is read relaxed.
    public func add(to sample: inout LatencySample) {
        for index in sample.counts.indices { sample.counts[index] &+= counts[index].value }
        sample.sumNanoseconds &+= sum.value
    }

    private func bucket(_ nanoseconds: UInt64) -> Int {
        let bounds = bounds.nanoseconds
        var index = 0
        while index < bounds.count, nanoseconds > bounds[index] { index += 1 }
        return index
    }
}

/// The readings of one or several latency histograms at one scrape.
public struct LatencySample: Sendable, Equatable {
    public let bounds: LatencyBounds
    /// By bucket, not cumulative: one number a bound, and last those above all bounds.
    public var counts: [UInt64]
    public var sumNanoseconds: UInt64 = 0

    /// Nothing counted yet.
    public init(_ bounds: LatencyBounds) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.nanoseconds.count + 1)
    }

    /// How many latencies there were.
    public var count: UInt64 { counts.reduce(0, &+) }
}
