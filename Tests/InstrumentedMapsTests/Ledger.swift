import InstrumentedMaps
import Testing

/// What a test has done to a map, kept apart from the map's own counters, to compare both.
struct Ledger: Sendable, Equatable {
    var inserts: UInt64 = 0
    var updates: UInt64 = 0
    var deletes: UInt64 = 0
    var deleteMisses: UInt64 = 0
    var loads: UInt64 = 0
    var loadMisses: UInt64 = 0
    /// Iterations times shards: each begun iteration reaches every shard.
    var iterations: UInt64 = 0

    init() {}

    /// The counters of a snapshot, summed over its shards.
    init(of snapshot: MapSnapshot) {
        inserts = snapshot.sum(\.inserts)
        updates = snapshot.sum(\.updates)
        deletes = snapshot.sum(\.deletes)
        deleteMisses = snapshot.sum(\.deleteMisses)
        loads = snapshot.sum(\.loads)
        loadMisses = snapshot.sum(\.loadMisses)
        iterations = snapshot.sum(\.iterations)
    }

    mutating func note(_ outcome: StoreOutcome) {
        switch outcome {
        case .inserted: inserts += 1
        case .updated: updates += 1
        case .refused: Issue.record("a store was refused, though nothing bounds the map")
        }
    }

    mutating func noteDelete(hit: Bool) {
        if hit { deletes += 1 } else { deleteMisses += 1 }
    }

    mutating func noteLoad(hit: Bool) {
        if hit { loads += 1 } else { loadMisses += 1 }
    }

    static func + (left: Ledger, right: Ledger) -> Ledger {
        var sum = left
        sum.inserts += right.inserts
        sum.updates += right.updates
        sum.deletes += right.deletes
        sum.deleteMisses += right.deleteMisses
        sum.loads += right.loads
        sum.loadMisses += right.loadMisses
        sum.iterations += right.iterations
        return sum
    }
}

/// What holds for every map that nobody is working on, shard by shard.
func expectInvariants(_ snapshot: MapSnapshot, entries: Int, _ note: Comment) {
    #expect(snapshot.sum(\.entries) == UInt64(entries), note)
    #expect(snapshot.shards.count == snapshot.options.shards, note)
    for shard in snapshot.shards {
        #expect(shard.entries == shard.entriesAdded - shard.entriesRemoved, note)
        #expect(shard.writes == shard.inserts + shard.updates + shard.deletes, note)
        #expect(shard.entries * 5 <= shard.capacity * 4, note)
        #expect((shard.liveBytes == 0) == (shard.entries == 0), note)
        #expect(shard.liveBytes <= shard.allocatedBytes, note)
        #expect(shard.lockWaiters == 0, note)
        #expect(shard.lockContended <= shard.lockAcquired, note)
    }
}
