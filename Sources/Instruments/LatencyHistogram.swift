// One row of cells for two ways to show it. The edges of a cell are those of either, so each cell lies in exactly one
// bucket of each, and both always have the same count and the same sum, whatever is recorded while they are read:
//
//     classic        ├────── 1 µs ──────┼──────────── 4 µs ─────────────┤ …        12 bounds, chosen for people
//     exponential    ├── … ──┼─────┼─────┼──────┼──────┼───────┼────────┤ …        8 a doubling, 15 ns to 64 s
//     cells          ├── … ──┼─────┼┼────┼──────┼──────┼───────┼────────┤ …        270, of 8 bytes
//
// The exponential buckets are those of Prometheus' native histograms, schema 3: a quantile read from them is within 4.4 %.

import Glibc

/// The upper bounds of a latency histogram's classic buckets, ascending, in nanoseconds; above the last one is one bucket
/// more.
public struct LatencyBounds: Sendable, Equatable {
    public let nanoseconds: [UInt64]
    /// The upper bound of each cell but the last, which has none.
    fileprivate let cells: [UInt64]
    /// Of each cell, the buckets that it lies in.
    fileprivate let classicOfCell: [UInt8]
    fileprivate let exponentialOfCell: [UInt16]
    /// Nothing counted: copies share one piece of memory.
    fileprivate let noCounts: [UInt64]

    /// More than ``LatencyHistogram/maximumBounds``, or bounds that do not ascend, are a programmer's mistake and trap.
    public init(nanoseconds: [UInt64]) {
        precondition(nanoseconds.count <= LatencyHistogram.maximumBounds, "too many bounds: \(nanoseconds.count)")
        precondition(zip(nanoseconds, nanoseconds.dropFirst()).allSatisfy { $0 < $1 }, "bounds do not ascend")
        self.nanoseconds = nanoseconds
        let exponential = ExponentialBuckets.bounds
        let cells = Set(nanoseconds + exponential).sorted()
        self.cells = cells
        // A cell lies in the first bucket whose bound is not below its own.
        func buckets(_ bounds: [UInt64]) -> [Int] {
            cells.map { cell in bounds.firstIndex { $0 >= cell } ?? bounds.count } + [bounds.count]
        }
        classicOfCell = buckets(nanoseconds).map { UInt8($0) }
        exponentialOfCell = buckets(exponential).map { UInt16($0) }
        noCounts = Array(repeating: 0, count: nanoseconds.count + 1)
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

    /// The classic bucket that a latency lies in.
    func bucket(_ latency: UInt64) -> Int {
        var index = 0
        while index < nanoseconds.count, latency > nanoseconds[index] { index += 1 }
        return index
    }

    /// The cell that a latency lies in: the first whose bound is not below it.
    fileprivate func cell(_ latency: UInt64) -> Int {
        var (low, high) = (0, cells.count)
        while low < high {
            let middle = (low + high) / 2
            if latency > cells[middle] { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Buckets that grow by a factor of 2^(1/8), as Prometheus' native histograms have them: bucket `i` holds what is above
/// 2^((i−1)/8) seconds and not above 2^(i/8). The first is the zero bucket, the last also holds all that is above 64 s.
public enum ExponentialBuckets {
    /// 2^schema buckets a doubling.
    public static let schema = 3
    /// What is not above this many seconds, 15 ns, is in the zero bucket.
    public static let zeroThreshold = 0x1p-26
    /// The index of the bucket after the zero bucket.
    public static let firstIndex = -26 * 8 + 1
    private static let lastIndex = 6 * 8
    /// The zero bucket, those up to 64 s, and the one above.
    static let count = lastIndex - firstIndex + 3

    /// Upper bounds in whole nanoseconds, rounded down, of all but the last.
    static let bounds: [UInt64] = (firstIndex - 1...lastIndex).map { UInt64(exp2(Double($0) / 8) * 1e9) }

    fileprivate static let noCounts = [UInt64](repeating: 0, count: count)
}

/// Counts latencies by size, in cells that a scrape reads without a lock.
///
/// Concurrency: any thread. Cost: nine comparisons and two atomic adds; 2.2 KB.
public struct LatencyHistogram: ~Copyable, Sendable {
    public static let maximumBounds = 12

    public let bounds: LatencyBounds
    private let counts = InlineArray<272, Counter> { _ in Counter() }
    private let sum = Counter()

    public init(_ bounds: LatencyBounds) {
        self.bounds = bounds
        precondition(bounds.cells.count < counts.count)
    }

    /// Adds one latency.
    public func record(_ nanoseconds: UInt64) {
        counts[bounds.cell(nanoseconds)].add()
        sum.add(nanoseconds)
    }

    /// The sum of all latencies, in nanoseconds.
    public var sumNanoseconds: UInt64 { sum.value }

    /// How many there were.
    public var count: UInt64 {
        var count: UInt64 = 0
        for index in 0...bounds.cells.count { count &+= counts[index].value }
        return count
    }

    /// Adds what was counted here to `sample`, which must have the same bounds; each cell is read relaxed, once.
    public func add(to sample: inout LatencySample) {
        for cell in 0...bounds.cells.count {
            let count = counts[cell].value
            guard count > 0 else { continue }
            sample.counts[Int(bounds.classicOfCell[cell])] &+= count
            sample.exponentialCounts[Int(bounds.exponentialOfCell[cell])] &+= count
        }
        sample.sumNanoseconds &+= sum.value
    }
}

/// The readings of one or several latency histograms at one scrape.
public struct LatencySample: Sendable, Equatable {
    public let bounds: LatencyBounds
    /// By classic bucket, not cumulative: one number a bound, and last those above all bounds.
    public var counts: [UInt64]
    /// The same latencies by exponential bucket, the zero bucket first; see ``ExponentialBuckets``.
    public var exponentialCounts: [UInt64]
    public var sumNanoseconds: UInt64 = 0
    /// The last latency of each classic bucket and where it was; empty when none is known.
    public var lasts: [LatencyExemplar?] = []

    /// Nothing counted yet.
    public init(_ bounds: LatencyBounds) {
        self.bounds = bounds
        counts = bounds.noCounts
        exponentialCounts = ExponentialBuckets.noCounts
    }

    /// How many latencies there were.
    public var count: UInt64 { counts.reduce(0, &+) }
}
