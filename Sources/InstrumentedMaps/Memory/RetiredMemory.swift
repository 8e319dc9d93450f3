import Instruments

// Blocks that a table has let go of while readers without a lock may be looking at them:
//
//     retired:  [ index array, epoch 5 | slab, epoch 7 | slab, epoch 8 ]     freed from the front,
//                                        ▲ oldest reader inside: 7           as far as no reader can hold them
//
// A block is tried at once when it is retired, so that it stays only while somebody is really inside; what is left then
// is tried with the next block and by maintenance. Until it is freed a block stays in the budget: a table whose readers
// stall runs into `max_bytes` and refuses, and the backlog can never grow past that bound. No code of a caller runs
// inside a reader, so what stalls one is the scheduler, and the backlog is what a shard retires in that time.

/// The retired blocks of one table. Not thread safe: stands under the shard's lock.
struct RetiredMemory: ~Copyable {
    private struct Item {
        let block: MemoryBlock
        let epoch: UInt64
    }

    private let budget: MemoryBudget
    private let epochs: ReaderEpochs
    /// In the order of their epochs.
    private var items: [Item] = []
    private(set) var bytes = 0

    init(budget: MemoryBudget, epochs: ReaderEpochs) {
        self.budget = budget
        self.epochs = epochs
    }

    /// Takes over a block that was unlinked before, and its bytes in the budget.
    mutating func add(_ block: MemoryBlock) {
        items.append(Item(block: block, epoch: epochs.retire()))
        bytes += block.bytes
        drain()
    }

    /// Frees what no reader can hold.
    mutating func drain() {
        guard !items.isEmpty else { return }
        let oldest = epochs.oldestReader()
        free(items.firstIndex { $0.epoch >= oldest } ?? items.count)
    }

    /// Frees everything: nobody is inside, nor will be.
    mutating func freeAll() { free(items.count) }

    private mutating func free(_ count: Int) {
        for item in items.prefix(count) {
            item.block.free()
            budget.giveBack(item.block.bytes)
            bytes -= item.block.bytes
        }
        items.removeFirst(count)
    }
}
