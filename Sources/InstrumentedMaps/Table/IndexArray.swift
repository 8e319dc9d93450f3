import CSystem
import Glibc

// One array of index words, in the order of the hashes: linear probing where a run is kept sorted.
//
//     word:   63         32 31          0      0 = empty, and no place is 0
//            ├── place ────┤├── ref ────┤
//
//     home(place) = place × capacity >> 32     so that the array as a whole is sorted by place, gaps between:
//
//     [ · | 03 | 04 | 05 | · | · | 17 | 19 | · ┊ tail ┊ 0 0 0 0 ]
//           └ a run: each at its home or right of it
//
// A search looks at four words at once, where nine of ten end, and stops at the first that is empty or larger, so that a
// miss costs no more than a hit; a delete shifts the rest of the run back; neither touches a record. The capacity may be any
// number, so that the array grows by half and stays fuller than one that doubles. The tail takes the overflow of the last
// homes instead of wrapping around: then the order holds from end to end, which is what growth in small steps and iteration
// by place rely on.

/// A block of index words. A plain value that owns nothing: ``HashIndex`` makes and frees it.
///
/// Not thread safe: it stands under the shard's lock.
@safe
struct IndexArray {
    /// Blocks from here on are mapped, so that their pages come zeroed and go back piecemeal.
    private static let mappedBytes = 128 << 10
    private static let smallestTail = 16

    /// Empty words behind the last slot: they end every search, and four words may be read from any slot.
    private static let guardWords = 4

    // Safety: `limit + guardWords` words, valid until `free`; every slot number in here is at most `limit`.
    private(set) var words: UnsafeMutablePointer<UInt64>
    let capacity: Int
    /// Words before the guards.
    private(set) var limit: Int
    /// What the block of the words takes; 0 without one.
    private(set) var bytes: Int

    /// All words empty; nil when the budget or the system has no memory for them.
    init?(capacity: Int, budget: MemoryBudget) {
        self.capacity = capacity
        limit = capacity + max(IndexArray.smallestTail, min(256, capacity / 8))
        bytes = IndexArray.blockBytes(limit: limit)
        guard budget.take(bytes) else { return nil }
        guard let made = unsafe IndexArray.makeWords(limit: limit) else {
            budget.giveBack(bytes)
            return nil
        }
        unsafe words = made
    }

    /// No slots, and no memory: every search ends at the guard words that all such arrays share.
    init() {
        capacity = 0
        limit = 0
        bytes = 0
        unsafe words = IndexArray.emptyWords
    }

    /// The block of the words; nil when there are none.
    var block: MemoryBlock? {
        guard limit > 0 else { return nil }
        let source = IndexArray.isMapped(limit: limit) ? MemoryBlock.Source.pages : .heap
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

    @inline(__always)
    static func ref(_ word: UInt64) -> RecordRef { RecordRef(bits: UInt32(truncatingIfNeeded: word)) }

    /// The first slot from `start` on that holds a word of `place`; when there is none, the slot behind the words of lesser
    /// places, where one would be inserted.
    @inline(__always)
    static func first(
        _ place: UInt32, from start: UnsafeMutablePointer<UInt64>
    ) -> (slot: UnsafeMutablePointer<UInt64>, isThere: Bool) {
        // Safety: `start` is at most the slot of `limit`, behind which three more words stand.
        let found = unsafe mapwatch_words_of(start, place)
        if found != 0 { return unsafe (start + found.trailingZeroBitCount, true) }
        let behind = unsafe mapwatch_words_behind(start, place)
        if _fastPath(behind != 0) { return unsafe (start + behind.trailingZeroBitCount, false) }
        return unsafe firstAfter(start + 4, place)
    }

    /// The same where four words were in vain; not often.
    @inline(never)
    private static func firstAfter(
        _ start: UnsafeMutablePointer<UInt64>, _ place: UInt32
    ) -> (slot: UnsafeMutablePointer<UInt64>, isThere: Bool) {
        var slot = unsafe start
        // Safety: an empty word at `limit` ends the search.
        while unsafe IndexArray.place(slot.pointee) &- 1 < place &- 1 { unsafe slot += 1 }
        return unsafe (slot, IndexArray.place(slot.pointee) == place)
    }

    /// Inserts `word` behind the words of its place, in the run that covers `start` (its home, or right of it).
    @inline(__always)
    mutating func insert(_ word: UInt64, from start: Int, budget: MemoryBudget, _ writes: some TableWrites) {
        let place = IndexArray.place(word)
        var slot = unsafe IndexArray.first(place, from: words + start).slot
        while unsafe IndexArray.place(slot.pointee) == place { unsafe slot += 1 }
        unsafe insert(word, at: slot, budget: budget, writes)
    }

    /// Inserts `word` at the slot that a search for it came to, and shifts the rest of the run to the right. Returns
    /// whether all words have moved.
    @inline(__always)
    @discardableResult
    mutating func insert(
        _ word: UInt64, at slot: UnsafeMutablePointer<UInt64>, budget: MemoryBudget, _ writes: some TableWrites
    ) -> Bool {
        var (slot, carried) = unsafe (slot, word)
        while true {
            let displaced = unsafe slot.pointee
            unsafe writes.store(carried, at: slot)
            if displaced == 0 { break }
            carried = displaced
            unsafe slot += 1
        }
        // The first guard word has been taken; the others still end a search.
        guard unsafe _slowPath(slot >= words + limit) else { return false }
        lengthenTail(budget, writes)
        return true
    }

    /// Empties the slot and shifts back what stands right of its home.
    @inline(__always)
    func remove(at slot: UnsafeMutablePointer<UInt64>, _ writes: some TableWrites) {
        // A shift of addresses: the difference of typed pointers is a signed division.
        let bytes = unsafe UInt(bitPattern: slot) &- UInt(bitPattern: words)
        var (slot, offset) = unsafe (slot, Int(bitPattern: bytes &>> 3))
        while true {
            let following = unsafe slot[1]
            if following == 0 || home(IndexArray.place(following)) > offset { break }
            unsafe writes.store(following, at: slot)
            unsafe slot += 1
            offset &+= 1
        }
        unsafe writes.store(0, at: slot)
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
        guard let newWords = unsafe IndexArray.makeWords(limit: newLimit) else {
            fatalError("out of memory: an index of \(newLimit) words was refused")
        }
        unsafe memcpy(newWords, words, (limit + IndexArray.guardWords) * 8)
        let old = block
        unsafe words = newWords
        limit = newLimit
        bytes = IndexArray.blockBytes(limit: limit)
        budget.force(bytes)
        if let old { writes.letGo(old, budget: budget) }
    }

    // MARK: - Memory

    private static func isMapped(limit: Int) -> Bool { (limit + guardWords) * 8 >= mappedBytes }

    private static func blockBytes(limit: Int) -> Int {
        let bytes = (limit + guardWords) * 8
        return isMapped(limit: limit) ? PageMemory.roundedToPages(bytes) : (bytes + 8 + 15) / 16 * 16
    }

    private static func makeWords(limit: Int) -> UnsafeMutablePointer<UInt64>? {
        let count = limit + guardWords
        let block = unsafe isMapped(limit: limit) ? PageMemory.map(count * 8) : HeapMemory.takeZeroes(count, stride: 8)
        return unsafe block?.bindMemory(to: UInt64.self, capacity: count)
    }

    /// Guard words alone.
    // Safety: nobody writes them: an array without slots is left before the first insert.
    nonisolated(unsafe) private static let emptyWords = {
        let words = UnsafeMutablePointer<UInt64>.allocate(capacity: guardWords)
        unsafe words.initialize(repeating: 0, count: guardWords)
        return unsafe words
    }()
}

extension IndexArray {
    /// Calls `body` with every ref, in the order of places.
    func forEach(_ body: (RecordRef) -> Void) {
        for slot in 0..<limit {
            let word = unsafe words[slot]
            if word != 0 { body(IndexArray.ref(word)) }
        }
    }
}
