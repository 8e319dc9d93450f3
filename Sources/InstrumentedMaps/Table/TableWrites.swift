import Glibc

// A table is written in one of two ways. Which one is a type, so that the locked maps' code has no branch for it:
//
//     PlainWrites        readers are kept out by a lock: memcpy, and what is let go is freed at once
//     PublishedWrites    readers look on: whole words in atomic stores, between an odd version and the next even one;
//                        what is let go is retired

/// How the words of a table are written.
///
/// The writer alone may read them plainly, and nobody else writes.
protocol TableWrites {
    /// Before the first word of a change, and after the last.
    func begin()
    func end(_ view: @autoclosure () -> TableView)

    /// A word of the index.
    func store(_ word: UInt64, at slot: UnsafeMutablePointer<UInt64>)

    /// Records: see the functions of the same names there.
    func write(_ record: Record, place: UInt32, key: Span<UInt8>, value: Span<UInt8>)
    func write(_ record: Record, place: UInt32, key: Span<UInt8>, value: Span<UInt8>, deadline: UInt32)
    func writePlainValue(_ record: Record, _ value: Span<UInt8>, keyCount: Int)
    func setFree(_ record: Record, next: UInt32)
    func copy(_ record: Record, to target: Record)

    /// Lets go of a block that is linked nowhere any more, and of its bytes in `budget`.
    func letGo(_ block: MemoryBlock, budget: MemoryBudget)
}

/// What a reader without a lock starts from.
@safe
struct TableView {
    // Safety: two arrays of index words and the addresses of the slabs, all valid until they are let go of.
    let current: IndexArray
    /// Without slots while nothing moves.
    let next: IndexArray
    let boundary: UInt64
    let cursor: Int
    let slabAddresses: UnsafeMutableRawPointer?
}

/// Writes that nobody sees before the lock is given back.
struct PlainWrites: TableWrites {
    @inline(__always)
    func begin() {}

    @inline(__always)
    func end(_ view: @autoclosure () -> TableView) {}

    @inline(__always)
    func store(_ word: UInt64, at slot: UnsafeMutablePointer<UInt64>) { unsafe slot.pointee = word }

    @inline(__always)
    func write(_ record: Record, place: UInt32, key: Span<UInt8>, value: Span<UInt8>) {
        unsafe record.write(place: place, key: key, value: value)
    }

    func write(_ record: Record, place: UInt32, key: Span<UInt8>, value: Span<UInt8>, deadline: UInt32) {
        unsafe record.write(place: place, key: key, value: value, deadline: deadline)
    }

    @inline(__always)
    func writePlainValue(_ record: Record, _ value: Span<UInt8>, keyCount: Int) {
        unsafe record.writePlainValue(value, keyCount: keyCount)
    }

    @inline(__always)
    func setFree(_ record: Record, next: UInt32) { unsafe record.setFree(next: next) }

    @inline(__always)
    func copy(_ record: Record, to target: Record) { unsafe memcpy(target.base, record.base, record.size) }

    func letGo(_ block: MemoryBlock, budget: MemoryBudget) {
        block.free()
        budget.giveBack(block.bytes)
    }
}

/// Writes that readers without a lock may see at any moment.
struct PublishedWrites: TableWrites {
    let table: PublishedTable

    @inline(__always)
    func begin() { table.beginChange() }

    @inline(__always)
    func end(_ view: @autoclosure () -> TableView) { table.endChange(view()) }

    @inline(__always)
    func store(_ word: UInt64, at slot: UnsafeMutablePointer<UInt64>) { unsafe SharedWords.store(word, at: slot) }

    func write(_ record: Record, place: UInt32, key: Span<UInt8>, value: Span<UInt8>) {
        unsafe record.publish(place: place, key: key, value: value)
    }

    func write(_ record: Record, place: UInt32, key: Span<UInt8>, value: Span<UInt8>, deadline: UInt32) {
        unsafe record.publish(place: place, key: key, value: value, deadline: deadline)
    }

    func writePlainValue(_ record: Record, _ value: Span<UInt8>, keyCount: Int) { unsafe record.publishValue(value) }

    func setFree(_ record: Record, next: UInt32) { unsafe record.publishFree(next: next) }

    func copy(_ record: Record, to target: Record) {
        unsafe SharedWords.write(record.base, record.size, to: target.base, at: 0)
    }

    func letGo(_ block: MemoryBlock, budget: MemoryBudget) { table.retire(block) }
}
