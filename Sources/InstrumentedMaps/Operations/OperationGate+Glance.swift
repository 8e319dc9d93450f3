import Instruments

// A glance at all shards, in two passes, since whoever writes them has their lines in another core's cache and each takes
// some 150 ns to come:
//
//     1   ask for two lines of the shard that is 8 ahead; has anybody been here? then ask for its other two
//     2   read these, a row after the other
//
// A shard where nobody has been costs two lines side by side, and a map where nobody has been the row of its first shard.

/// The rows of a map's shards at one glance.
struct ShardRows {
    let rows: [ShardGlance]
    let sums: ShardGlance
    /// Whether they are those of the glance before.
    let areUnchanged: Bool
}

extension OperationGate {
    /// A line takes some 150 ns to come, a shard some 20 ns to look at.
    static var shardsAhead: Int { 8 }

    /// The rows of all shards, the first with what the map's one lock has counted. What is as it was at `before` is not
    /// read again.
    @inline(__always)
    func glance<Guard: ~Copyable, Table: ~Copyable>(
        at shards: borrowing Shards<Guard, Table>, since before: MapGlance?
    ) -> ShardRows {
        let old = before?.shards ?? []
        let changes = changes(of: shards, since: old)
        var first = shards[0].glance()
        lock.meter.add(to: &first)
        first.lockWaiters &+= lock.meter.waiters
        if let before, !changes.isAny, first == old[0], first.reading.isAtRest == old[0].reading.isAtRest {
            return ShardRows(rows: old, sums: before.sums, areUnchanged: true)
        }
        let rows = [ShardGlance](capacity: shards.count) { rows in
            rows.append(first)
            // A word at a time: at each look at the set all of it would be copied.
            var word = changes.words[0]
            for index in 1..<max(1, shards.count) {
                word = index & 63 == 0 ? changes.words[index >> 6] : word >> 1
                rows.append(word & 1 != 0 ? shards[index].glance() : old[index])
            }
        }
        // After the rows, which are at hand now: so neither needs the registers of the other.
        var sums = ShardGlance()
        for row in rows { sums.add(row) }
        return ShardRows(rows: rows, sums: sums, areUnchanged: rows == old)
    }

    /// The shards, but for the first, where somebody may have been since `old`; all of them, if it is empty.
    @inline(__always)
    private func changes<Guard: ~Copyable, Table: ~Copyable>(
        of shards: borrowing Shards<Guard, Table>, since old: [ShardGlance]
    ) -> ShardSet {
        let count = shards.count
        var changes = ShardSet()
        for index in 0..<min(OperationGate.shardsAhead, count) { shards[index].prefetch() }
        shards[0].prefetchCells()
        for index in 1..<max(1, count) {
            let ahead = index &+ OperationGate.shardsAhead
            if ahead < count { shards[ahead].prefetch() }
            if !old.isEmpty, shards[index].stands(as: old[index]) { continue }
            shards[index].prefetchCells()
            changes.insert(index)
        }
        return changes
    }
}

/// Some of a map's shards, a bit each.
private struct ShardSet {
    private(set) var words = InlineArray<16, UInt64>(repeating: 0)
    private(set) var isAny = false

    @inline(__always)
    mutating func insert(_ shard: Int) {
        words[shard >> 6] |= 1 << UInt64(shard & 63)
        isAny = true
    }
}
