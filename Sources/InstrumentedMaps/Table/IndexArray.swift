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
// A search looks at four words at once, where nine of ten records are; then it goes on word by word and ends at the first word that is empty or larger, so that a miss costs no more than a hit; a delete shifts the
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

    /// Empty words behind the last slot: they end every search, and four words may be read from any slot.
    private static let guardWords = 4

    // Safety: `limit + guardWords` words, valid until `free`; every slot number in here is at most `limit`.
    private(set) var words: UnsafeMutablePointer<UInt64>
    let capacity: Int
    /// Words before the guards.
    private(set) var limit: Int

    /// All words empty; nil when the budget or the system has no memory for them.
    init?(capacity: Int, budget: MemoryBudget) {
        self.capacity = capacity
        limit = capacity + max(IndexArray.smallestTail, min(256, capacity / 8))
        let bytes = IndexArray.blockBytes(limit: limit)
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
        unsafe words = IndexArray.emptyWords
    }

    var bytes: Int { limit == 0 ? 0 : IndexArray.blockBytes(limit: limit) }

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

    /// The first slot from `start` on that holds a word of `place` which `isWanted`; when there is none, the slot behind
    /// the words of this and lesser places, where one would be inserted.
    @inline(__always)
    func search(
        _ place: UInt32, from start: Int, _ isWanted: (RecordRef) -> Bool
    ) -> (slot: UnsafeMutablePointer<UInt64>, isThere: Bool) {
        var slot = unsafe words + start
        // Safety: `start` is at most `limit`, behind which four words stand.
        let near = unsafe mapwatch_first_place(slot, place)
        if near < 4, isWanted(IndexArray.ref(unsafe slot[near])) { return unsafe (slot + near, true) }
        while true {
            let there = IndexArray.place(unsafe slot.pointee)
            // Empty, which wraps around, or larger.
            if there &- 1 >= place { return unsafe (slot, false) }
            if there == place, isWanted(IndexArray.ref(unsafe slot.pointee)) { return unsafe (slot, true) }
            unsafe slot += 1
        }
    }

    /// Inserts `word` behind the words of its place, in the run that covers `start` (its home, or right of it).
    @inline(__always)
    mutating func insert(_ word: UInt64, from start: Int, budget: MemoryBudget, _ writes: some TableWrites) {
        let slot = unsafe search(IndexArray.place(word), from: start) { _ in false }.slot
        unsafe insert(word, at: slot, budget: budget, writes)
    }

    /// Inserts `word` at the slot that a search for it came to, and shifts the rest of the run to the right.
    @inline(__always)
    mutating func insert(
        _ word: UInt64, at slot: UnsafeMutablePointer<UInt64>, budget: MemoryBudget, _ writes: some TableWrites
    ) {
        var (slot, carried) = unsafe (slot, word)
        while true {
            let displaced = unsafe slot.pointee
            unsafe writes.store(carried, at: slot)
            if displaced == 0 { break }
            carried = displaced
            unsafe slot += 1
        }
        // The first guard word has been taken; the others still end a search.
        if unsafe slot - words >= limit { lengthenTail(budget, writes) }
    }

    /// Empties the slot and shifts back what stands right of its home.
    @inline(__always)
    func remove(at slot: UnsafeMutablePointer<UInt64>, _ writes: some TableWrites) {
        var (slot, offset) = unsafe (slot, slot - words)
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
