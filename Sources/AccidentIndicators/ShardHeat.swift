import InstrumentedMaps

/// Which shard is asked most: operations by shard, marked once a maintenance cycle, so that the mean covers the last 50
/// to 60 s. Costs 4 bytes a mark and shard, so every map can have it, however many shards it has.
struct ShardHeat: Sendable {
    /// Marks that are kept: so many cycles back the window begins.
    static let marks = 6

    /// The lower 32 bits of each shard's count of operations, oldest mark first.
    private var marks: [[UInt32]] = []

    /// Remembers where the shards stand.
    mutating func mark(_ shards: [ShardGlance]) {
        if marks.count == ShardHeat.marks { marks.removeFirst() }
        marks.append(shards.map { UInt32(truncatingIfNeeded: $0.operations) })
    }

    /// The hottest shard's operations since the oldest mark over those of the mean shard; 0 when there were none.
    func imbalance(_ shards: [ShardGlance]) -> Double {
        guard let oldest = marks.first, oldest.count == shards.count else { return 0 }
        var hottest: UInt32 = 0
        var total: UInt64 = 0
        for index in shards.indices {
            let count = UInt32(truncatingIfNeeded: shards[index].operations) &- oldest[index]
            hottest = max(hottest, count)
            total += UInt64(count)
        }
        return total == 0 ? 0 : Double(hottest) * Double(shards.count) / Double(total)
    }
}
