import InstrumentedMaps

// The last 120 samples of every shard of one map, one after the other in one piece of memory:
//
//              ┌ shard 0 ┐┌ shard 1 ┐    ┌ shard n ┐
//     slot 0   │ 16 bytes ││ 16 bytes │ …  │ 16 bytes │   entries · writes · deletes · wait
//     slot 1   │          ││          │ …
//     …
//     slot 119                                          1,920 bytes a shard
//
// The counts are the lower 32 bits of the shard's own: the difference of two rows is right for any window in which fewer
// than 2^32 of them came, and a row is written without a look at the one before. Waits are kept in units of 8.192 µs,
// so that even 290 threads that wait through the whole window do not wrap.

/// One shard at one sample. Differences of counts are to be taken with `&-`.
public struct ShardSecond: Sendable, Equatable {
    /// A level; what is over 2^32 - 1 is shown as that.
    public let entries: UInt32
    public let writes: UInt32
    public let deletes: UInt32
    /// In units of ``waitUnitNanoseconds``.
    public let wait: UInt32

    public static let waitUnitNanoseconds: UInt64 = 1 << 13

    init(_ shard: ShardGlance) {
        entries = UInt32(clamping: shard.entries)
        writes = UInt32(truncatingIfNeeded: shard.writes)
        deletes = UInt32(truncatingIfNeeded: shard.deletes)
        wait = UInt32(truncatingIfNeeded: shard.lockWaitNanoseconds / ShardSecond.waitUnitNanoseconds)
    }

    static let empty = ShardSecond(ShardGlance())
}

/// A ring of rows, one slot a sample, one row a shard.
struct ShardSeconds: Sendable {
    static let bytesPerShard = MapWindow.capacity * MemoryLayout<ShardSecond>.stride

    private let shards: Int
    private var rows: [ShardSecond]

    init(shards: Int) {
        self.shards = shards
        rows = Array(repeating: .empty, count: shards * MapWindow.capacity)
    }

    mutating func write(_ glances: [ShardGlance], slot: Int) {
        let (start, count) = (slot * shards, min(shards, glances.count))
        var rows = rows.mutableSpan
        for index in 0..<count { rows[start + index] = ShardSecond(glances[index]) }
    }

    /// Writes what stands in another slot.
    mutating func copy(slot: Int, to other: Int) {
        let (from, to) = (slot * shards, other * shards)
        // Safety: both slots lie in the buffer.
        unsafe rows.withUnsafeMutableBufferPointer { rows in
            guard let first = rows.baseAddress, from != to else { return }
            unsafe (first + to).update(from: first + from, count: shards)
        }
    }

    func row(_ shard: Int, slot: Int) -> ShardSecond { rows[slot * shards + shard] }
}
