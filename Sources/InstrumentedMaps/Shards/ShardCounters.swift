public import Instruments

// What one shard counts, in cells that a scrape reads without a lock.
//
//     ┌ writers' lines: bumped under the exclusive lock, plain increments ┐ 128 B ┌ readers' line: loads, iterations ┐
//     │ insert update delete delete_miss entries capacity bytes …         │  gap  │ atomic adds where readers share  │
//     └───────────────────────────────────────────────────────────────────┘       └──────────────────────────────────┘
//
// `entries added` and `removed` are the inserts and the deletes: every entry comes by the one and goes by the other.

/// The counters and levels of one shard.
@usableFromInline
struct ShardCounters: ~Copyable {
    @usableFromInline let inserts = Counter()
    @usableFromInline let updates = Counter()
    @usableFromInline let deletes = Counter()
    @usableFromInline let deleteMisses = Counter()
    @usableFromInline let deletesDuringIteration = Counter()
    @usableFromInline let refusals = Counter()
    @usableFromInline let guardRefusals = Counter()
    @usableFromInline let entries = Counter()
    @usableFromInline let capacity = Counter()
    @usableFromInline let liveBytes = Counter()
    @usableFromInline let allocatedBytes = Counter()
    /// Ended growths of the table, and how long they took.
    @usableFromInline let growths = Counter()
    @usableFromInline let growthNanoseconds = Counter()
    /// The writes after which maintenance found nothing left to do.
    @usableFromInline let tidyAtWrites = Counter()
    private let gap = CacheLinePadding()
    @usableFromInline let loads = Counter()
    @usableFromInline let loadMisses = Counter()
    @usableFromInline let iterations = Counter()
    private let end = CacheLinePadding()

    init() {}

    /// Copies the table's levels to the cells that a scrape reads; under the exclusive lock, after each write.
    @inlinable
    @inline(__always)
    func publish(_ levels: TableLevels, _ growth: TableGrowth) {
        entries.set(UInt64(truncatingIfNeeded: levels.count))
        capacity.set(UInt64(truncatingIfNeeded: levels.capacity))
        liveBytes.set(UInt64(truncatingIfNeeded: levels.liveBytes))
        allocatedBytes.set(UInt64(truncatingIfNeeded: levels.allocatedBytes))
        if growths.value != growth.count {
            growths.set(growth.count)
            growthNanoseconds.set(growth.nanoseconds)
        }
    }

    /// Completed writes, without expirations.
    var writes: UInt64 { inserts.value &+ updates.value &+ deletes.value }

    /// Reads every cell relaxed.
    func read(into sample: inout ShardSample) {
        sample.inserts = inserts.value
        sample.updates = updates.value
        sample.deletes = deletes.value
        sample.deleteMisses = deleteMisses.value
        sample.deletesDuringIteration = deletesDuringIteration.value
        sample.refusals = refusals.value
        sample.guardRefusals = guardRefusals.value
        sample.loads = loads.value
        sample.loadMisses = loadMisses.value
        sample.iterations = iterations.value
        sample.entries = entries.value
        sample.capacity = capacity.value
        sample.liveBytes = liveBytes.value
        sample.allocatedBytes = allocatedBytes.value
        sample.growths = growths.value
        sample.growthNanoseconds = growthNanoseconds.value
    }
}
