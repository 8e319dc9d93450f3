import Glibc

// One array of index words, in the order of the hashes: linear probing where a run is kept sorted.
//
//     word:   63         32 31          0      0 = empty
//            ├── place ────┤├── ref ────┤
//
//     home(place) = place × capacity >> 32     so that the array as a whole is sorted by place, gaps between:
//
//     [ · | 03 | 04 | 05 | · | · | 17 | 19 | · ┊ tail ┊ 0 ]
//           └ a run: each at its home or right of it
//
// A search ends at the first word that is empty or larger, so that a miss costs no more than a hit; a delete shifts the
// rest of the run back; neither touches a record. The capacity may be any number, so that the array grows by half and
// stays fuller than one that doubles. The tail takes the overflow of the last homes instead of wrapping around: then the
// order holds from end to end, which is what growth in small steps and iteration by place rely on.

/// A block of index words. A plain value that owns nothing: ``HashIndex`` makes and frees it.
///
/// Not thread safe: it stands under the shard's lock.
@safe
struct IndexArray {
    /// Blocks from here on are mapped, so that their pages come zeroed and go back piecemeal.
    private static let mappedBytes = 128 << 10
    private static let smallestTail = 16

    // Safety: `limit + 1` words, valid until `free`; every slot number in here is at most `limit`.
    private(set) var words: UnsafeMutablePointer<UInt64>
    let capacity: Int
    /// Words before the last, which is always 0 and ends every search.
    private(set) var limit: Int

    /// All words empty; nil when the budget or the system has no memory for them.
    init?(capacity: Int, budget: MemoryBudget) {
        self.capacity = capacity
        limit = capacity + max(IndexArray.smallestTail, min(256, capacity / 8))
        let bytes = IndexArray.blockBytes(limit + 1)
        guard budget.take(bytes) else { return nil }
        guard let made = unsafe IndexArray.makeWords(limit + 1) else {
            budget.giveBack(bytes)
            return nil
        }
        unsafe words = made
    }

    /// No slots, and no memory: every search ends at the one empty word that all such arrays share.
    init() {
        capacity = 0
        limit = 0
        unsafe words = IndexArray.emptyWord
    }

    var bytes: Int { limit == 0 ? 0 : IndexArray.blockBytes(limit + 1) }

    /// The block of the words; nil when there are none.
    var block: MemoryBlock? {
        guard limit > 0 else { return nil }
        let source = (limit + 1) * 8 < IndexArray.mappedBytes ? MemoryBlock.Source.heap : .pages
        return unsafe MemoryBlock(start: UnsafeMutableRawPointer(words), bytes: bytes, source: source)
    }

    /// Where the words are.
    @inline(__always)
    var address: UInt64 { unsafe UInt64(UInt(bitPattern: words)) }

    @inline(__always)
    func home(_ place: UInt32) -> Int { IndexArray.home(place, capacity: capacity) }

    @inline(__always)
    static func home(_ place: UInt32, capacity: Int) -> Int {
        Int(truncatingIfNeeded: (UInt64(place) &* UInt64(truncatingIfNeeded: capacity)) >> 32)
    }

    @inline(__always)
    static func place(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word >> 32) }

    /// Inserts `word` behind the words of its place, in the run that covers `start` (its home, or right of it). Shifts the
    /// rest of the run to the right.
    @inline(__always)
    mutating func insert(_ word: UInt64, from start: Int, budget: MemoryBudget, _ writes: some TableWrites) {
        var slot = start
        while unsafe words[slot] != 0, IndexArray.place(unsafe words[slot]) <= IndexArray.place(word) { slot &+= 1 }
        var end = slot
        while unsafe words[end] != 0 { end &+= 1 }
        if end >= limit { lengthenTail(budget, writes) }
        if end > slot { unsafe writes.moveRight(words + slot, end &- slot) }
        unsafe writes.store(word, at: words + slot)
    }

    /// Empties the slot and shifts back what stands right of its home.
    @inline(__always)
    func remove(at slot: Int, _ writes: some TableWrites) {
        var end = slot &+ 1
        while unsafe words[end] != 0, home(IndexArray.place(unsafe words[end])) < end { end &+= 1 }
        if end > slot &+ 1 { unsafe writes.moveLeft(words + slot + 1, end &- slot &- 1) }
        unsafe writes.store(0, at: words + (end &- 1))
    }

    /// Gives back the pages of the words before `slot`, all of which are empty for good.
    func giveBackPages(before slot: Int) {
        let page = 64 << 10
        guard slot * 8 % page == 0, slot * 8 >= page, bytes >= IndexArray.mappedBytes else { return }
        // Safety: the range is within the mapping, and nobody reads these words again.
        unsafe PageMemory.discard(UnsafeMutableRawPointer(words + slot) - page, page)
    }

    /// Doubles the tail. Only keys that clash on purpose, in a test that chooses hashes, come here.
    private mutating func lengthenTail(_ budget: MemoryBudget, _ writes: some TableWrites) {
        let newLimit = capacity + (limit - capacity) * 2
        guard let newWords = unsafe IndexArray.makeWords(newLimit + 1) else {
            fatalError("out of memory: an index of \(newLimit) words was refused")
        }
        unsafe memcpy(newWords, words, limit * 8)
        let old = block
        unsafe words = newWords
        limit = newLimit
        budget.force(bytes)
        if let old { writes.letGo(old, budget: budget) }
    }

    // MARK: - Memory

    private static func blockBytes(_ count: Int) -> Int {
        let bytes = count * 8
        return bytes < mappedBytes ? (bytes + 8 + 15) / 16 * 16 : PageMemory.roundedToPages(bytes)
    }

    private static func makeWords(_ count: Int) -> UnsafeMutablePointer<UInt64>? {
        let block = unsafe count * 8 < mappedBytes ? calloc(count, 8) : PageMemory.map(count * 8)
        return unsafe block?.bindMemory(to: UInt64.self, capacity: count)
    }

    /// A word that is 0 and stays so.
    // Safety: nobody writes it: an array without slots is left before the first insert.
    nonisolated(unsafe) private static let emptyWord = {
        let word = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
        unsafe word.initialize(to: 0)
        return unsafe word
    }()
}

extension IndexArray {
    /// Calls `body` with every ref, in the order of places.
    func forEach(_ body: (RecordRef) -> Void) {
        for slot in 0..<limit {
            let word = unsafe words[slot]
            if word != 0 { body(RecordRef(bits: UInt32(truncatingIfNeeded: word))) }
        }
    }
}
