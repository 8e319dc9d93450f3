public import Instruments

// What one shard counts, in cells that a scrape reads without a lock; where they lie stands in Shard.swift. All are bumped
// under the shard's guard: plain increments where one is alone inside, atomic adds where readers share it.
//
// `entries added` and `removed` are the inserts and the deletes: every entry comes by the one and goes by the other.

/// What every write touches: one cache line.
@usableFromInline
struct WriteCounters: ~Copyable {
    @usableFromInline let inserts = Counter()
    @usableFromInline let updates = Counter()
    @usableFromInline let deletes = Counter()
    @usableFromInline let deleteMisses = Counter()
    @usableFromInline let entries = Counter()
    @usableFromInline let liveBytes = Counter()
    @usableFromInline let allocatedBytes = Counter()
    /// The table's ``ShardTable/state`` as it was published last.
    @usableFromInline let state = Counter()

    init() {}

    /// Copies the table's levels to the cells that a scrape reads; under the exclusive lock, after each write.
    @inlinable
    @inline(__always)
    func publish(_ levels: TableLevels) {
        publishEntries(levels)
        allocatedBytes.set(UInt64(truncatingIfNeeded: levels.allocatedBytes))
    }

    /// Of the levels, what every insert and every delete changes.
    @inlinable
    @inline(__always)
    func publishEntries(_ levels: TableLevels) {
        entries.set(UInt64(truncatingIfNeeded: levels.count))
        liveBytes.set(UInt64(truncatingIfNeeded: levels.liveBytes))
    }

    var upkeep: TableUpkeep { TableState(word: state.value).upkeep }

    /// Reads the cells that a glance shows.
    @inline(__always)
    func read(into glance: inout ShardGlance) {
        glance.inserts = inserts.value
        glance.updates = updates.value
        glance.deletes = deletes.value
        glance.deleteMisses = deleteMisses.value
        glance.entries = entries.value
        glance.liveBytes = liveBytes.value
        glance.allocatedBytes = allocatedBytes.value
    }

    /// Reads every cell relaxed.
    func read(into sample: inout ShardSample) {
        sample.inserts = inserts.value
        sample.updates = updates.value
        sample.deletes = deletes.value
        sample.deleteMisses = deleteMisses.value
        sample.entries = entries.value
        sample.liveBytes = liveBytes.value
        sample.allocatedBytes = allocatedBytes.value
    }
}

/// What a load touches, beside the guard.
@usableFromInline
struct LoadCounters: ~Copyable {
    @usableFromInline let hits = Counter()
    @usableFromInline let misses = Counter()

    init() {}

    /// Hits and misses.
    var count: UInt64 { hits.value &+ misses.value }

    /// Reads every cell relaxed.
    func read(into sample: inout ShardSample) {
        sample.loads = hits.value
        sample.loadMisses = misses.value
    }
}

/// What hardly any operation touches.
@usableFromInline
struct RareCounters: ~Copyable {
    @usableFromInline let deletesDuringIteration = Counter()
    @usableFromInline let refusals = Counter()
    @usableFromInline let guardRefusals = Counter()
    @usableFromInline let capacity = Counter()
    /// Ended growths of the table, and how long they took.
    @usableFromInline let growths = Counter()
    @usableFromInline let growthNanoseconds = Counter()
    @usableFromInline let iterations = Counter()

    init() {}

    /// Reads every cell relaxed.
    func read(into sample: inout ShardSample) {
        sample.deletesDuringIteration = deletesDuringIteration.value
        sample.refusals = refusals.value
        sample.guardRefusals = guardRefusals.value
        sample.iterations = iterations.value
        sample.capacity = capacity.value
        sample.growths = growths.value
        sample.growthNanoseconds = growthNanoseconds.value
    }
}
