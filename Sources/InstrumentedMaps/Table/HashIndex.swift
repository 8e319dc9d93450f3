import CSystem
import Instruments

// The index of one shard: which places are taken, and by which record. Grows and shrinks in small steps.
//
//     settled:    current [ ········································ ]
//
//     moving:     next    [ ·· places below `boundary` ··            ]   every change moves up to 64 slots on
//                 current [ emptied │ places from `boundary` on ···· ]
//                                   ▲ cursor
//
// Since an array is sorted by place, one number says where a place is to be looked for; nothing is looked for twice.
// Growth begins at four fifths full and by half, shrinking below one fifth and to half full: the new array has room for
// all that can come while 64 slots are moved per change (capacity / 64 inserts).

/// Words of place and ref, each ref once.
///
/// Not thread safe: every call stands under the shard's lock; `find` and `forEach` may share it.
@safe
struct HashIndex: ~Copyable {
    /// The most slots that one change moves.
    static let slotsPerStep = 64
    /// Of which so many are kept for words of one place at the end of a step.
    private static let slotsOfOnePlace = 4
    private static let smallestCapacity = 8

    /// The slot of a record, or where it would be. Valid until the next change, and used by nobody but the table that
    /// asked.
    @safe
    struct Position {
        fileprivate let slot: UnsafeMutablePointer<UInt64>
        fileprivate let isInNext: Bool
        /// Whether the record was found.
        let isThere: Bool

        @inline(__always)
        fileprivate init(slot: UnsafeMutablePointer<UInt64>, isInNext: Bool, isThere: Bool) {
            unsafe self.slot = slot
            self.isInNext = isInNext
            self.isThere = isThere
        }

        /// A slot of an index that does not move.
        @inline(__always)
        init(current slot: UnsafeMutablePointer<UInt64>, isThere: Bool) {
            unsafe self.init(slot: slot, isInNext: false, isThere: isThere)
        }

        @inline(__always)
        var ref: RecordRef { IndexArray.ref(unsafe slot.pointee) }
    }

    // 64 bytes of what only growth and shrinking look at; then a line for what every look needs; then what every change
    // writes, which shares its line with the beginning of the record store (see ByteTable.swift).
    /// Places below are in `next`; 0 while nothing moves.
    private var boundary: UInt64 = 0
    /// The first slot of `current` that is not emptied.
    private var cursor = 0
    private let budget: MemoryBudget
    /// The growths that have ended.
    private(set) var growth = TableGrowth()
    /// When the growth that is under way began; nil when there is none, or when the array shrinks.
    private var growthBegan: UInt64?
    /// Slots that were moved from one array to the next since the beginning.
    private(set) var slotsMoved: UInt64 = 0

    // Safety: both arrays are private to this value, which frees them.
    private var current: IndexArray
    /// Without slots while nothing moves.
    private var next = IndexArray()

    private(set) var count = 0
    /// The records that there may be while nothing moves: four fifths of the slots; 0 while something does.
    private var most = 0
    /// Fewer than these, and the array shrinks: a fifth of the slots; all there could be while something moves.
    private var least = 0
    /// How often ``show(_:slabAddresses:)`` would have shown something else: begins and ends of moves, and words moved.
    private(set) var moves: UInt64 = 0

    init(budget: MemoryBudget) {
        self.budget = budget
        current = IndexArray()
    }

    deinit {
        budget.giveBack(bytes)
        current.block?.free()
        next.block?.free()
    }

    var isMoving: Bool { next.limit > 0 }

    /// Slots, of the array that is being filled where there are two.
    var capacity: Int { isMoving ? next.capacity : current.capacity }

    /// Bytes of both arrays.
    var bytes: Int { current.bytes &+ next.bytes }

    /// Where the first record of `place` is, or where one would be inserted.
    @inline(__always)
    func first(_ place: UInt32) -> Position {
        if _slowPath(isMoving) { return firstWhileMoving(place) }
        let found = unsafe IndexArray.first(place, from: current.words + current.home(place))
        return unsafe Position(slot: found.slot, isInNext: false, isThere: found.isThere)
    }

    @inline(never)
    private func firstWhileMoving(_ place: UInt32) -> Position {
        let isInNext = UInt64(place) < boundary
        let start = unsafe isInNext ? next.words + next.home(place) : current.words + max(current.home(place), cursor)
        let found = unsafe IndexArray.first(place, from: start)
        return unsafe Position(slot: found.slot, isInNext: isInNext, isThere: found.isThere)
    }

    /// Where the next record of the same `place` is, or where one would be inserted: one in 2^32 pairs of keys comes here.
    func following(_ position: Position, _ place: UInt32) -> Position {
        let found = unsafe IndexArray.first(place, from: position.slot + 1)
        return unsafe Position(slot: found.slot, isInNext: position.isInNext, isThere: found.isThere)
    }

    /// Where the record `ref` of `place` is; it must be there.
    func position(of ref: RecordRef, _ place: UInt32) -> Position {
        var position = first(place)
        while position.isThere, position.ref != ref { position = following(position, place) }
        precondition(position.isThere, "a live record has no index word")
        return position
    }

    /// Notes where the words are, unless they move.
    func show(_ whereabouts: borrowing TableWhereabouts, slabAddresses: UnsafeMutableRawPointer?) {
        unsafe whereabouts.note(
            words: isMoving ? nil : current.words, capacity: current.capacity, slabAddresses: slabAddresses)
    }

    /// Whether one more record can be inserted as things stand.
    @inline(__always)
    var hasRoom: Bool { count < most }

    /// Whether one record can be removed as things stand, without a move.
    @inline(__always)
    var mayRemove: Bool { count > least }

    /// Makes room for one more record, which moves slots: positions are to be searched for anew. False when there is no
    /// memory for a longer array.
    mutating func makeRoom(_ writes: some TableWrites) -> Bool {
        guard isMoving else { return beginMove(to: HashIndex.grown(current.capacity), writes) }
        moveOn(slots: HashIndex.slotsPerStep, writes)
        return true
    }

    /// Adds a record where a search has not found its key. Returns whether the words have moved with it.
    @inline(__always)
    @discardableResult
    mutating func insert(
        _ place: UInt32, _ ref: RecordRef, at position: Position, _ writes: some TableWrites
    ) -> Bool {
        let word = UInt64(place) << 32 | UInt64(ref.bits)
        var hasMoved = false
        if position.isInNext {
            unsafe next.insert(word, at: position.slot, budget: budget, writes)
        } else {
            hasMoved = unsafe current.insert(word, at: position.slot, budget: budget, writes)
        }
        // After the words, behind which the compiler would load it once more for whoever publishes it.
        count &+= 1
        if hasMoved { moves &+= 1 }
        return hasMoved
    }

    /// Takes the record away.
    @inline(__always)
    mutating func remove(_ position: Position, _ writes: some TableWrites) {
        if position.isInNext {
            unsafe next.remove(at: position.slot, writes)
            count &-= 1
        } else {
            removeAtRest(position, writes)
        }
        if count < least { moveOrShrink(writes) }
    }

    /// Takes the record away where nothing moves, and nothing will with it: where it ``mayRemove``.
    @inline(__always)
    mutating func removeAtRest(_ position: Position, _ writes: some TableWrites) {
        unsafe current.remove(at: position.slot, writes)
        count &-= 1
    }

    @inline(never)
    private mutating func moveOrShrink(_ writes: some TableWrites) {
        if isMoving {
            moveOn(slots: HashIndex.slotsPerStep, writes)
        } else {
            // Without the memory to become smaller it stays as it is.
            _ = beginMove(to: HashIndex.shrunk(count, from: current.limit), writes)
        }
    }

    /// Puts another ref into a slot that was found: the record has moved.
    @inline(__always)
    func replace(_ position: Position, with ref: RecordRef, _ writes: some TableWrites) {
        unsafe writes.store((position.slot.pointee & ~0xffff_ffff) | UInt64(ref.bits), at: position.slot)
    }

    /// Calls `body` with every ref, in the order of places.
    func forEach(_ body: (RecordRef) -> Void) {
        next.forEach(body)
        current.forEach(body)
    }

    /// What a reader without a lock starts from; it finds the slabs at `slabAddresses`.
    @inline(__always)
    func view(slabAddresses: UnsafeMutableRawPointer?) -> TableView {
        unsafe TableView(
            current: current, next: next, boundary: boundary, cursor: cursor, slabAddresses: slabAddresses)
    }

    // MARK: - Moving

    /// Moves up to `slots` slots from the old array to the new one, and returns how many it looked at. More than
    /// `slots` only where more than four words have one place.
    @discardableResult
    mutating func moveOn(slots: Int, _ writes: some TableWrites) -> Int {
        guard isMoving else { return 0 }
        // Words of one place stay together, or `boundary` would part them: two are rare, five never seen.
        let enough = max(1, slots - HashIndex.slotsOfOnePlace)
        var visited = 0
        var last: UInt32?
        while cursor < current.limit {
            let word = unsafe current.words[cursor]
            let place = IndexArray.place(word)
            if visited >= enough, word == 0 || last != place { break }
            if word != 0 {
                next.insert(word, from: next.home(place), budget: budget, writes)
                unsafe writes.store(0, at: current.words + cursor)
                last = place
                boundary = UInt64(place) + 1
            }
            cursor += 1
            visited += 1
            current.giveBackPages(before: cursor)
        }
        slotsMoved &+= UInt64(visited)
        if cursor == current.limit { endMove(writes) }
        return visited
    }

    private mutating func beginMove(to capacity: Int, _ writes: some TableWrites) -> Bool {
        guard let array = IndexArray(capacity: capacity, budget: budget) else { return false }
        // The first array is no growth: nothing moves.
        growthBegan = capacity > current.capacity && current.capacity > 0 ? MonotonicClock.nanoseconds() : nil
        next = array
        noteBounds()
        moves &+= 1
        boundary = 0
        cursor = 0
        moveOn(slots: HashIndex.slotsPerStep, writes)
        return true
    }

    private mutating func endMove(_ writes: some TableWrites) {
        if let began = growthBegan { growth.add(MonotonicClock.nanoseconds() &- began) }
        growthBegan = nil
        let old = current.block
        current = next
        next = IndexArray()
        noteBounds()
        moves &+= 1
        boundary = 0
        cursor = 0
        if let old { writes.letGo(old, budget: budget) }
    }

    /// Works out ``most`` and ``least``, which every insert and every delete asks for.
    private mutating func noteBounds() {
        most = isMoving ? 0 : current.capacity * 4 / 5
        least = isMoving ? .max : current.capacity > HashIndex.smallestCapacity ? (current.capacity + 4) / 5 : 0
    }

    private static func grown(_ capacity: Int) -> Int { max(capacity * 3 / 2, capacity + 8) }

    /// Half full; more where shrinking comes late, since memory was refused before: room for all that can be inserted while
    /// `limit` slots are walked.
    private static func shrunk(_ count: Int, from limit: Int) -> Int {
        let most = count + limit / (slotsPerStep - slotsOfOnePlace) + 1
        return max(smallestCapacity, count * 2, most * 5 / 4 + 1)
    }
}
