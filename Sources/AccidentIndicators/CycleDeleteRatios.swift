/// The delete shares of a map's maintenance cycles, counted by how large they were.
///
/// A cycle is 10 s and stands in for the articles' garbage collection. Cycles without writes are skipped: a share of
/// nothing is no share.
public struct CycleDeleteRatios: Sendable, Equatable {
    /// Upper bounds of the buckets, inclusive; the articles' 0.42 is an edge.
    public static let bounds = [0.1, 0.2, 0.3, 0.42, 0.5, 0.6, 0.8, 1]
    /// Seconds of a cycle.
    public static let cycleSeconds: UInt64 = 10

    /// Cycles by bucket, not cumulative.
    public private(set) var counts = [UInt64](repeating: 0, count: CycleDeleteRatios.bounds.count)
    /// The sum of the shares.
    public private(set) var sum = 0.0
    private var begin: (deletes: UInt64, writes: UInt64)?

    public init() {}

    /// Ends a cycle where the map's counters stand so, and begins the next; the first only begins.
    mutating func endCycle(deletes: UInt64, writes: UInt64) {
        if let begin, writes != begin.writes {
            let share = Double(deletes &- begin.deletes) / Double(writes &- begin.writes)
            let bucket = CycleDeleteRatios.bounds.firstIndex { share <= $0 } ?? CycleDeleteRatios.bounds.count - 1
            counts[bucket] += 1
            sum += share
        }
        begin = (deletes, writes)
    }

    public static func == (left: CycleDeleteRatios, right: CycleDeleteRatios) -> Bool {
        left.counts == right.counts && left.sum == right.sum
    }
}
