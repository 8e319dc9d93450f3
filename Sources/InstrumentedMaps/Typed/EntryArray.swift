import Glibc

// One array of entries in the order of their hashes: what `IndexArray` is for the byte table, with key and value beside the
// place instead of a reference to them, so that a search that finds its key has its value in the same cache line.
//
//     entry:  63       32 31            0
//             ├── place ──┤├ heap bytes ┤ key │ value        place 0 = empty; String and [UInt8]: 32 bytes, two a line
//
//     home(place) = place × capacity >> 32; entries stand at their home or right of it, sorted by place, gaps between:
//
//     [ · | 03 | 04 | 05 | · | · | 17 | 19 | · ┊ tail ┊ 0 ]
//
// `heap bytes` is what the map was told that key and value hold elsewhere. It is kept, not asked for again: a value that
// changes behind its reference must not leave the account with more or less than it brought.

/// A block of entries. A plain value that owns nothing: ``TypedTable`` makes and frees it.
///
/// Not thread safe: it stands under the shard's guard.
@safe
@usableFromInline
struct EntryArray<Key, Value> {
    @usableFromInline
    struct Entry {
        @usableFromInline var head: UInt64
        @usableFromInline var key: Key
        @usableFromInline var value: Value

        @inlinable
        init(head: UInt64, key: Key, value: Value) {
            self.head = head
            self.key = key
            self.value = value
        }
    }

    // Safety: `limit + 1` entries, of which those with a place are initialised; every head is; valid until it is freed.
    @usableFromInline let entries: UnsafeMutablePointer<Entry>
    @usableFromInline let capacity: Int
    /// Entries before the last, which is always empty and ends every search. 0 for an array without memory.
    @usableFromInline let limit: Int

    @inlinable
    init(_ entries: UnsafeMutablePointer<Entry>, capacity: Int, limit: Int) {
        unsafe self.entries = entries
        self.capacity = capacity
        self.limit = limit
    }

    /// No entries: every search ends at the one empty head that all such arrays share.
    @inlinable
    init() {
        unsafe self.init(
            EntryMemory.emptyHead.assumingMemoryBound(to: Entry.self), capacity: 0, limit: 0)
    }

    @inlinable static var stride: Int { MemoryLayout<Entry>.stride }

    @inlinable
    @inline(__always)
    func home(_ place: UInt32) -> Int {
        Int(truncatingIfNeeded: (UInt64(place) &* UInt64(truncatingIfNeeded: capacity)) >> 32)
    }

    /// Safety: `slot` is at most `limit`.
    @unsafe
    @inlinable
    @inline(__always)
    func head(_ slot: Int) -> UInt64 {
        unsafe UnsafeRawPointer(entries + slot).load(as: UInt64.self)
    }

    /// Safety: `slot` is at most `limit`.
    @unsafe
    @inlinable
    @inline(__always)
    func setHead(_ head: UInt64, _ slot: Int) {
        unsafe UnsafeMutableRawPointer(entries + slot).storeBytes(of: head, as: UInt64.self)
    }

    @inlinable
    @inline(__always)
    static func place(_ head: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: head >> 32) }

    /// The slot behind all entries of `place`, looked for from `start`: where the next one belongs.
    @inlinable
    @inline(__always)
    func end(of place: UInt32, from start: Int) -> Int {
        var slot = start
        while true {
            let head = unsafe head(slot)
            if head == 0 || EntryArray.place(head) > place { return slot }
            slot &+= 1
        }
    }

    /// Makes an empty slot of `slot` by shifting the rest of its run to the right; false when the run ends at the limit.
    @inlinable
    @inline(__always)
    func open(_ slot: Int) -> Bool {
        var end = slot
        while unsafe head(end) != 0 { end &+= 1 }
        guard end < limit else { return false }
        if end > slot {
            unsafe (entries + slot + 1).moveInitialize(from: entries + slot, count: end &- slot)
            unsafe setHead(0, slot)
        }
        return true
    }

    /// Closes a slot whose key and value have been moved out, by shifting back what stands right of its home.
    @inlinable
    @inline(__always)
    func close(_ slot: Int) {
        var end = slot &+ 1
        while true {
            let head = unsafe head(end)
            if head == 0 || home(EntryArray.place(head)) >= end { break }
            end &+= 1
        }
        if end > slot &+ 1 {
            unsafe (entries + slot).moveInitialize(from: entries + slot + 1, count: end &- slot &- 1)
        }
        unsafe setHead(0, end &- 1)
    }
}

// A value is taken out while somebody decides what becomes of it, and key and value apart when nothing is left.
extension UnsafeMutablePointer {
    @unsafe
    @inlinable
    @inline(__always)
    func takeValue<Key, Value>() -> Value where Pointee == EntryArray<Key, Value>.Entry {
        unsafe withUnsafeMutablePointer(to: &pointee.value) { unsafe $0.move() }
    }

    @unsafe
    @inlinable
    @inline(__always)
    func putValue<Key, Value>(_ value: Value) where Pointee == EntryArray<Key, Value>.Entry {
        unsafe withUnsafeMutablePointer(to: &pointee.value) { unsafe $0.initialize(to: value) }
    }

    @unsafe
    @inlinable
    @inline(__always)
    func takeKey<Key, Value>() -> Key where Pointee == EntryArray<Key, Value>.Entry {
        unsafe withUnsafeMutablePointer(to: &pointee.key) { unsafe $0.move() }
    }
}

/// Where arrays of entries come from. Concurrency: any thread.
@usableFromInline
enum EntryMemory {
    private static let mappedBytes = 128 << 10
    private static let pieceBytes = 64 << 10

    /// The bytes that an array of `count` entries takes.
    @usableFromInline
    static func bytes(_ count: Int, stride: Int) -> Int {
        let bytes = count * stride
        return bytes < mappedBytes ? (bytes + 8 + 15) / 16 * 16 : PageMemory.roundedToPages(bytes)
    }

    /// Zeroes for so many entries, aligned to 16 bytes; nil when the budget or the system has none. `isForced` takes them
    /// over the budget if need be.
    @usableFromInline
    static func take(_ count: Int, stride: Int, _ budget: MemoryBudget, isForced: Bool) -> UnsafeMutableRawPointer? {
        let bytes = bytes(count, stride: stride)
        if isForced { budget.force(bytes) } else if !budget.take(bytes) { return nil }
        let isHeap = count * stride < mappedBytes
        guard let block = unsafe isHeap ? HeapMemory.takeZeroes(count, stride: stride) : PageMemory.map(count * stride)
        else {
            budget.giveBack(bytes)
            return nil
        }
        return unsafe block
    }

    @usableFromInline
    static func giveBack(
        _ block: UnsafeMutableRawPointer, _ count: Int, stride: Int, _ budget: MemoryBudget
    ) {
        budget.giveBack(bytes(count, stride: stride))
        if count * stride < mappedBytes { unsafe free(block) } else { unsafe PageMemory.unmap(block, count * stride) }
    }

    /// Gives the pages of a mapped array back as they are emptied for good, up to the byte `end`.
    @usableFromInline
    static func giveBackPages(_ block: UnsafeMutableRawPointer, from start: Int, to end: Int, of bytes: Int) {
        guard bytes >= mappedBytes, start / pieceBytes < end / pieceBytes else { return }
        let first = start / pieceBytes * pieceBytes
        // Safety: the range is within the mapping, and nobody reads these entries again.
        unsafe PageMemory.discard(block + first, end / pieceBytes * pieceBytes - first)
    }

    /// A head that is empty and stays so.
    // Safety: nobody writes it: an array without slots is left before the first insert.
    @usableFromInline nonisolated(unsafe) static let emptyHead: UnsafeMutableRawPointer = {
        let head = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 16)
        unsafe head.initializeMemory(as: UInt64.self, repeating: 0, count: 2)
        return unsafe head
    }()
}
