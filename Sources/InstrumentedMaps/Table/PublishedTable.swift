import Instruments
import Synchronization

// What a table shows to readers that take no lock: one cache line, and the words that it leads to.
//
//     │ version │ current: words, capacity │ next: words, capacity │ boundary │ cursor │ slab addresses │
//
//     writer, under the lock:   version := odd ──▶ words, line ──▶ version := even
//     reader:                   version even? ──▶ … ──▶ the same version? then all of it was true at one moment
//
// The version is looked at again before anything that was read is used as an address or a length, and at the end. So an
// address was linked after the reader had entered its epoch (`ReaderEpochs`), and what is linked then stays mapped until
// it leaves; and a length is that of the record it was read from.

/// The line of one table that is published, what was retired from it, and how often it was read.
///
/// A value that points to memory of its own, which ``make(budget:)`` takes and ``destroy()`` frees. Concurrency: readers
/// from any thread; changes under the shard's lock.
@safe
@usableFromInline
struct PublishedTable {
    private typealias Cell = UnsafeMutablePointer<Atomic<UInt64>>

    // Safety: 16 cells and one list, valid until `destroy`, as are the counters.
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    private let retired: UnsafeMutablePointer<RetiredMemory>
    let epochs: ReaderEpochs
    let reads: ReadCounters
    /// Read only where an entry with a deadline is met.
    private let clock: ExpiryClock

    private static let cellCount = 16

    static func make(budget: MemoryBudget, epochs: ReaderEpochs = .shared, clock: ExpiryClock = .system)
        -> PublishedTable
    {
        let block = UnsafeMutableRawPointer.allocate(byteCount: cellCount * 8, alignment: 128)
        let cells = unsafe block.bindMemory(to: Atomic<UInt64>.self, capacity: cellCount)
        for index in 0..<cellCount { unsafe (cells + index).initialize(to: Atomic(0)) }
        let retired = UnsafeMutablePointer<RetiredMemory>.allocate(capacity: 1)
        unsafe retired.initialize(to: RetiredMemory(budget: budget, epochs: epochs))
        let table = unsafe PublishedTable(
            cells: cells, retired: retired, epochs: epochs, reads: ReadCounters.make(), clock: clock)
        unsafe table.show(
            TableView(current: IndexArray(), next: IndexArray(), boundary: 0, cursor: 0, slabAddresses: nil))
        return table
    }

    /// Frees the line and all that is retired. No reader is inside, nor will be.
    func destroy() {
        unsafe retired.pointee.freeAll()
        unsafe retired.deinitialize(count: 1)
        unsafe retired.deallocate()
        unsafe cells.deallocate()
        reads.destroy()
    }

    // MARK: - The writer

    @inline(__always)
    func beginChange() { unsafe version.pointee.store(versionNow &+ 1, ordering: .releasing) }

    @inline(__always)
    func endChange(_ view: TableView) {
        show(view)
        unsafe version.pointee.store(versionNow &+ 1, ordering: .releasing)
    }

    private var versionNow: UInt64 { unsafe version.pointee.load(ordering: .relaxed) }

    @inline(__always)
    private func show(_ view: TableView) {
        unsafe set(currentWords, view.current.address)
        unsafe set(currentCapacity, UInt64(truncatingIfNeeded: view.current.capacity))
        if view.next.limit > 0 {
            unsafe set(nextWords, view.next.address)
            unsafe set(nextCapacity, UInt64(truncatingIfNeeded: view.next.capacity))
        }
        unsafe set(boundary, view.boundary)
        unsafe set(cursor, UInt64(truncatingIfNeeded: view.cursor))
        unsafe set(slabAddresses, UInt64(UInt(bitPattern: unsafe view.slabAddresses)))
    }

    /// Keeps the block until no reader can hold it. Call it inside of a change, after the block is unlinked.
    func retire(_ block: MemoryBlock) { unsafe retired.pointee.add(block) }

    /// Frees what no reader can hold any more. Under the shard's lock.
    func drain() { unsafe retired.pointee.drain() }

    /// Bytes that are retired and not yet free. Under the shard's lock.
    var retiredBytes: Int { unsafe retired.pointee.bytes }

    // MARK: - The reader

    /// What one look at a table gave.
    enum Look<Value> {
        case found(Value)
        case absent
        /// A writer was at work: whatever was seen is worth nothing.
        case torn
    }

    /// Looks for `key` once, and hands its record to `copy`; what that returns is the answer if the record was true to
    /// the end. The caller is inside an epoch.
    @inline(__always)
    func look<Value>(
        _ key: Span<UInt8>, _ hash: KeyHash, _ copy: (RecordHeader, UnsafeRawPointer) -> Value
    ) -> Look<Value> {
        let before = unsafe get(version)
        guard before & 1 == 0 else { return .torn }
        let place = hash.place
        let words: UInt64
        var slot: Int
        if unsafe UInt64(place) < get(boundary) {
            words = unsafe get(nextWords)
            slot = unsafe IndexArray.home(place, capacity: Int(truncatingIfNeeded: get(nextCapacity)))
        } else {
            words = unsafe get(currentWords)
            slot = unsafe IndexArray.home(place, capacity: Int(truncatingIfNeeded: get(currentCapacity)))
            slot = unsafe max(slot, Int(truncatingIfNeeded: get(cursor)))
        }
        let addresses = unsafe get(slabAddresses)
        // Safety: all of the line was true at one moment, so `slot` is within the array, which ends with a word that is
        // 0 for good.
        guard unsafe get(version) == before, let array = unsafe UnsafeRawPointer(bitPattern: UInt(words)) else {
            return .torn
        }
        let near = unsafe SharedWords.firstPlace(array + slot &* 8, place)
        if near < 4 { slot &+= near }
        while true {
            let word = unsafe SharedWords.load(array + slot &* 8)
            let there = IndexArray.place(word)
            // Empty, which wraps around, or larger.
            if there &- 1 >= place { return unsafe get(version) == before ? .absent : .torn }
            if there == place {
                let ref = RecordRef(bits: UInt32(truncatingIfNeeded: word))
                // Safety: as below.
                switch unsafe look(key, at: ref, addresses, before, copy) {
                case .absent: break
                case let look: return look
                }
            }
            slot &+= 1
        }
    }

    /// The value of the record at `ref` if its key is `key`.
    ///
    /// Safety: `ref` and `addresses` were read after the version was `before`.
    @inline(__always)
    private func look<Value>(
        _ key: Span<UInt8>, at ref: RecordRef, _ addresses: UInt64, _ before: UInt64,
        _ copy: (RecordHeader, UnsafeRawPointer) -> Value
    ) -> Look<Value> {
        // Safety: as long as the version is `before`, the ref is one of these slabs, whose address leads to the record,
        // whose header tells its length; each is used after the version was seen to be that.
        guard unsafe get(version) == before, let slabs = unsafe UnsafeRawPointer(bitPattern: UInt(addresses)) else {
            return .torn
        }
        let slab = unsafe SharedWords.load(slabs + ref.slab &* 8)
        guard unsafe get(version) == before, let base = unsafe UnsafeRawPointer(bitPattern: UInt(slab)) else {
            return .torn
        }
        let record = unsafe base + Int(ref.unit) &* RecordRef.unitBytes
        let header = unsafe RecordHeader(record)
        guard unsafe get(version) == before else { return .torn }
        guard unsafe header.hasKey(key, in: record) else { return .absent }
        // No other record has this key: the search goes on to its end.
        if header.expires, header.deadline <= clock.now { return .absent }
        let value = unsafe copy(header, record)
        return unsafe get(version) == before ? .found(value) : .torn
    }

    // MARK: - The line

    private var version: Cell { unsafe cells }
    private var currentWords: Cell { unsafe cells + 1 }
    private var currentCapacity: Cell { unsafe cells + 2 }
    private var nextWords: Cell { unsafe cells + 3 }
    private var nextCapacity: Cell { unsafe cells + 4 }
    private var boundary: Cell { unsafe cells + 5 }
    private var cursor: Cell { unsafe cells + 6 }
    private var slabAddresses: Cell { unsafe cells + 7 }

    @inline(__always)
    private func get(_ cell: Cell) -> UInt64 { unsafe cell.pointee.load(ordering: .acquiring) }

    @inline(__always)
    private func set(_ cell: Cell, _ value: UInt64) { unsafe cell.pointee.store(value, ordering: .releasing) }
}
