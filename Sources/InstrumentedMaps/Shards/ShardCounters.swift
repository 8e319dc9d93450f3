import Instruments

// What one shard counts, in cells that a scrape reads without a lock.
//
//     ┌ writers' lines: bumped under the exclusive lock, plain increments ┐ 128 B ┌ readers' line: loads, iterations ┐
//     │ insert update delete delete_miss entries capacity bytes …         │  gap  │ atomic adds where readers share  │
//     └───────────────────────────────────────────────────────────────────┘       └──────────────────────────────────┘
//
// `entries added` and `removed` are the inserts and the deletes: every entry comes by the one and goes by the other.

/// The counters and levels of one shard.
struct ShardCounters: ~Copyable {
    let inserts = Counter()
    let updates = Counter()
    let deletes = Counter()
    let deleteMisses = Counter()
    let deletesDuringIteration = Counter()
    let refusals = Counter()
    let entries = Counter()
    let capacity = Counter()
    let liveBytes = Counter()
    let allocatedBytes = Counter()
    /// Ended growths of the table, and how long they took.
    let growths = Counter()
    let growthNanoseconds = Counter()
    /// The writes after which maintenance found nothing left to do.
    let tidyAtWrites = Counter()
    private let gap = CacheLinePadding()
    let loads = Counter()
    let loadMisses = Counter()
    let iterations = Counter()
    private let end = CacheLinePadding()

    /// Copies the table's levels to the cells that a scrape reads; under the exclusive lock, after each write.
    @inline(__always)
    func publish<Table: ShardTable & ~Copyable>(_ table: borrowing Table) {
        entries.set(UInt64(table.count))
        capacity.set(UInt64(table.capacity))
        liveBytes.set(table.liveBytes)
        allocatedBytes.set(table.allocatedBytes)
        let growth = table.growth
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
