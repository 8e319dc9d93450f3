import Instruments

// What readers without a lock count, in lines that they do not share:
//
//     thread slot    0 … 14   a stripe of its own each: plain increments
//                   15 …      the last stripe for all of them: atomic adds
//
// 2 KiB a shard. One stripe for everybody would cost each read a line that all cores fight for; a stripe for every
// possible thread would cost a map of 256 shards 16 MiB.

/// The counters of the reads of one shard that took no lock. A value that points to cells of its own.
///
/// Concurrency: any thread that is inside an epoch bumps, anybody reads. Cost: one plain increment as a rule.
@safe
struct ReadCounters {
    private static let stripes = 16
    private static let cellsPerStripe = 16

    // Safety: `stripes × cellsPerStripe` cells, valid from `make` to `destroy`.
    private let cells: UnsafeMutablePointer<Counter>

    static func make() -> ReadCounters {
        let count = stripes * cellsPerStripe
        let block = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Counter>.stride, alignment: 128)
        let cells = unsafe block.bindMemory(to: Counter.self, capacity: count)
        for index in 0..<count { unsafe (cells + index).initialize(to: Counter()) }
        return unsafe ReadCounters(cells: cells)
    }

    func destroy() { unsafe cells.deallocate() }

    @inline(__always)
    func countHit(_ slot: ReaderSlot) { bump(0, slot) }

    @inline(__always)
    func countMiss(_ slot: ReaderSlot) { bump(1, slot) }

    func countRetry(_ slot: ReaderSlot) { bump(2, slot) }

    /// Counts a read that a writer was in the way of, once however often it had to look again.
    func countConflict(_ slot: ReaderSlot) { bump(3, slot) }

    @inline(__always)
    private func bump(_ cell: Int, _ slot: ReaderSlot) {
        let last = ReadCounters.stripes - 1
        if slot.index < last {
            unsafe cells[slot.index &* ReadCounters.cellsPerStripe &+ cell].addExclusively()
        } else {
            unsafe cells[last &* ReadCounters.cellsPerStripe &+ cell].add()
        }
    }

    /// All reads, hits and misses.
    var count: UInt64 {
        var count: UInt64 = 0
        for stripe in 0..<ReadCounters.stripes {
            let first = stripe * ReadCounters.cellsPerStripe
            unsafe count &+= cells[first].value &+ cells[first + 1].value
        }
        return count
    }

    /// Adds the reads to the loads that were counted under the lock.
    func add(to sample: inout ShardSample) {
        for stripe in 0..<ReadCounters.stripes {
            let first = stripe * ReadCounters.cellsPerStripe
            let (hits, misses) = unsafe (cells[first].value, cells[first + 1].value)
            sample.loads += hits
            sample.loadMisses += misses
            sample.optimisticReads += hits + misses
            sample.readRetries += unsafe cells[first + 2].value
            sample.averted.readWrites += unsafe cells[first + 3].value
        }
    }
}
