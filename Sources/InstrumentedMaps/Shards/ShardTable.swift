/// What a shard must know of its table, whatever the table holds: the levels to publish, and the chores.
///
/// Not thread safe: every call stands under the shard's guard.
protocol ShardTable: ~Copyable {
    /// Live entries.
    var count: Int { get }

    /// Slots of the index.
    var capacity: Int { get }

    /// Bytes of live entries: falls with every delete.
    var liveBytes: UInt64 { get }

    /// Bytes that the table holds of the allocators.
    var allocatedBytes: UInt64 { get }

    /// The growths that have ended.
    var growth: TableGrowth { get }

    /// The cells of a table whose entries can expire; nil for one whose cannot.
    var expiry: ExpiryCounters? { get }

    /// Does up to `budget` small moves that no operation waits for, and returns how many; 0 when all is well.
    mutating func maintain(budget: Int) -> Int
}

extension ShardTable where Self: ~Copyable {
    var expiry: ExpiryCounters? { nil }
}

/// How often a table has grown.
struct TableGrowth {
    private(set) var count: UInt64 = 0
    /// From the begin to the end of each growth: operations go on meanwhile, and each moves a little. So the clock is read
    /// twice a growth, and not at each move.
    private(set) var nanoseconds: UInt64 = 0

    mutating func add(_ nanoseconds: UInt64) {
        count += 1
        self.nanoseconds &+= nanoseconds
    }
}
