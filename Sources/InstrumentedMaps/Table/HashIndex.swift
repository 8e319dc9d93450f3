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
    private static let smallestCapacity = 8

    /// A slot that was found. Valid until the next change, and used by nobody but the table that asked.
    @safe
    struct Position {
        fileprivate let slot: UnsafeMutablePointer<UInt64>
        @inline(__always)
        var ref: RecordRef { RecordRef(bits: UInt32(truncatingIfNeeded: unsafe slot.pointee)) }
    }

    private let budget: MemoryBudget
    // Safety: both arrays are private to this value, which frees them.
    private var current: IndexArray
    private var next: IndexArray?
    /// Places below are in `next`; 0 while nothing moves.
    private var boundary: UInt64 = 0
    /// The first slot of `current` that is not emptied.
    private var cursor = 0
    private(set) var count = 0

    init(budget: MemoryBudget) {
        self.budget = budget
        current = IndexArray()
    }

    deinit {
        budget.giveBack(bytes)
        current.free()
        next?.free()
    }

    /// Slots, of the array that is being filled where there are two.
    var capacity: Int { next?.capacity ?? current.capacity }

    /// Bytes of both arrays.
    var bytes: Int { current.bytes + (next?.bytes ?? 0) }

    /// The slot of the record of `place` that `isWanted`.
    @inline(__always)
    func find(_ place: UInt32, _ isWanted: (RecordRef) -> Bool) -> Position? {
        let isInNext = UInt64(place) < boundary
        guard let array = isInNext ? next : current else { return nil }
        var slot = unsafe array.words + (isInNext ? array.home(place) : max(array.home(place), cursor))
        while true {
            let word = unsafe slot.pointee
            let there = IndexArray.place(word)
            if there > place || word == 0 { return nil }
            if there == place, isWanted(RecordRef(bits: UInt32(truncatingIfNeeded: word))) {
                return unsafe Position(slot: slot)
            }
            unsafe slot += 1
        }
    }

    /// Sees to it that one more record can be inserted; false, when there is no memory for a longer array.
    @inline(__always)
    mutating func makeRoom() -> Bool {
        if next != nil {
            moveOn(slots: HashIndex.slotsPerStep)
            return true
        }
        return (count &+ 1) &* 5 <= current.capacity &* 4 || beginMove(to: HashIndex.grown(current.capacity))
    }

    /// Adds a record whose key is not there yet; ``makeRoom()`` has been asked.
    @inline(__always)
    mutating func insert(_ place: UInt32, _ ref: RecordRef) {
        let word = UInt64(place) << 32 | UInt64(ref.bits)
        if UInt64(place) < boundary {
            guard var target = next else { return }
            HashIndex.insert(word, into: &target, from: target.home(place), budget: budget)
            next = target
        } else {
            HashIndex.insert(word, into: &current, from: max(current.home(place), cursor), budget: budget)
        }
        count &+= 1
    }

    /// Inserts, and accounts for a tail that had to be lengthened.
    @inline(__always)
    private static func insert(
        _ word: UInt64, into array: inout IndexArray, from slot: Int, budget: MemoryBudget
    ) {
        let limit = array.limit
        array.insert(word, from: slot)
        if array.limit != limit { budget.force(array.bytes - IndexArray.bytes(limit: limit)) }
    }

    /// Takes the record away.
    @inline(__always)
    mutating func remove(_ position: Position) {
        let slot = unsafe position.slot
        let place = IndexArray.place(unsafe slot.pointee)
        if UInt64(place) < boundary, let next = next {
            next.remove(at: unsafe slot - next.words)
        } else {
            current.remove(at: unsafe slot - current.words)
        }
        count &-= 1
        if next != nil {
            moveOn(slots: HashIndex.slotsPerStep)
        } else if current.capacity > HashIndex.smallestCapacity && count &* 5 < current.capacity {
            // Without the memory to become smaller it stays as it is.
            _ = beginMove(to: max(HashIndex.smallestCapacity, count * 2))
        }
    }

    /// Puts another ref into a slot that was found: the record has moved.
    @inline(__always)
    func replace(_ position: Position, with ref: RecordRef) {
        unsafe position.slot.pointee = (position.slot.pointee & ~0xffff_ffff) | UInt64(ref.bits)
    }

    /// Calls `body` with every ref, in the order of places.
    func forEach(_ body: (RecordRef) -> Void) {
        next?.forEach(body)
        current.forEach(body)
    }

    // MARK: - Moving

    /// Moves up to `slots` slots from the old array to the new one, and returns how many it looked at.
    @discardableResult
    mutating func moveOn(slots: Int) -> Int {
        guard var target = next else { return 0 }
        var visited = 0
        var last: UInt32?
        while cursor < current.limit {
            let word = unsafe current.words[cursor]
            let place = IndexArray.place(word)
            // Words of one place stay together, or `boundary` would part them; two are rare, three never seen.
            if visited >= slots, word == 0 || last != place { break }
            if word != 0 {
                HashIndex.insert(word, into: &target, from: target.home(place), budget: budget)
                unsafe current.words[cursor] = 0
                last = place
                boundary = UInt64(place) + 1
            }
            cursor += 1
            visited += 1
            current.giveBackPages(before: cursor)
        }
        next = target
        if cursor == current.limit { endMove(target) }
        return visited
    }

    private mutating func beginMove(to capacity: Int) -> Bool {
        guard let array = IndexArray(capacity: capacity, budget: budget) else { return false }
        next = array
        boundary = 0
        cursor = 0
        moveOn(slots: HashIndex.slotsPerStep)
        return true
    }

    private mutating func endMove(_ target: IndexArray) {
        budget.giveBack(current.bytes)
        current.free()
        current = target
        next = nil
        boundary = 0
        cursor = 0
    }

    private static func grown(_ capacity: Int) -> Int { max(capacity * 3 / 2, capacity + 8) }
}
