public import Instruments

// The table of one shard of a typed map: one array of entries, or two while it grows or shrinks, as in `HashIndex`.
//
//     settled:    current [ ········································ ]
//
//     moving:     next    [ ·· places below `boundary` ··            ]   every change moves up to 64 slots on
//                 current [ emptied │ places from `boundary` on ···· ]
//                                   ▲ cursor
//
// Growth begins at three quarters full and by half, shrinking below one fifth and to half full. Tried before: the byte
// table's index with entries in slots beside it, one cache miss an operation more.

/// Keys and values of one shard.
///
/// Not thread safe: every call stands under the shard's guard; `find` and `forEach` may share it. Whatever a change
/// displaces is handed out, so that it can be released with the guard open: its `deinit` may call the map.
@safe
@usableFromInline
struct TypedTable<Key: Hashable, Value>: ShardTable, ~Copyable {
    @usableFromInline typealias Entries = EntryArray<Key, Value>
    @usableFromInline typealias Entry = EntryArray<Key, Value>.Entry

    /// Where a search has ended. Valid until the table's next change.
    @usableFromInline
    struct Position {
        @usableFromInline let slot: Int
        @usableFromInline let isInNext: Bool

        @inlinable
        init(slot: Int, isInNext: Bool) {
            self.slot = slot
            self.isInNext = isInNext
        }
    }

    /// The most slots that one change moves.
    @inlinable static var slotsPerStep: Int { 64 }

    // What a look needs: one cache line, with which the table begins.
    @usableFromInline var current = Entries()
    /// Without slots while nothing moves.
    @usableFromInline var next = Entries()
    /// Places below are in `next`; 0 while nothing moves.
    @usableFromInline var boundary: UInt64 = 0
    /// The first slot of `current` that is not emptied.
    @usableFromInline var cursor = 0

    @usableFromInline let budget: MemoryBudget
    @usableFromInline var count = 0
    /// What all entries are said to hold elsewhere.
    @usableFromInline var heapBytes = 0
    /// The growths that have ended.
    @usableFromInline var growth = TableGrowth()
    /// When the growth that is under way began; 0 when there is none.
    @usableFromInline var growthBegan: UInt64 = 0
    /// Bytes of both arrays.
    @usableFromInline var arrayBytes = 0
    /// Keeps the table where it is: a type with an atomic in it is lent by its address, not copied for each look.
    @usableFromInline let anchor = Counter()

    init(budget: MemoryBudget) {
        self.budget = budget
    }

    @inlinable var levels: TableLevels {
        TableLevels(
            count: count, capacity: isMoving ? next.capacity : current.capacity,
            liveBytes: count &* Entries.stride &+ heapBytes, allocatedBytes: arrayBytes &+ heapBytes)
    }

    @inlinable var state: TableState {
        let capacity = UInt64(truncatingIfNeeded: isMoving ? next.capacity : current.capacity)
        return TableState(changes: growth.count &<< 40 | capacity, isMoving ? .chores : [])
    }

    @inlinable var isMoving: Bool { next.limit > 0 }

    /// The value of `key`. Cost: one probe run, and a copy as Swift copies.
    @inlinable
    @inline(__always)
    func find(_ key: Key, _ place: UInt32) -> Value? {
        guard let found = position(of: key, place) else { return nil }
        return unsafe entry(found).pointee.value
    }

    /// Where `key` is, if it is there.
    @inlinable
    @inline(__always)
    func position(of key: Key, _ place: UInt32) -> Position? {
        let isInNext = UInt64(place) < boundary
        let array = isInNext ? next : current
        var slot = isInNext ? array.home(place) : max(array.home(place), cursor)
        while true {
            let head = unsafe array.head(slot)
            let there = Entries.place(head)
            if there == place, unsafe (array.entries + slot).pointee.key == key {
                return Position(slot: slot, isInNext: isInNext)
            }
            if there > place || head == 0 { return nil }
            slot &+= 1
        }
    }

    /// Safety: `found` is where a search has ended since the last change.
    @unsafe
    @inlinable
    @inline(__always)
    func entry(_ found: Position) -> UnsafeMutablePointer<Entry> {
        unsafe (found.isInNext ? next : current).entries + found.slot
    }

    /// Sets the value of `key`, unless there is no memory for it: then nothing is changed. `displaced` becomes the value
    /// that stood there.
    @inlinable
    @inline(__always)
    mutating func store(
        _ key: Key, _ place: UInt32, _ value: Value, heapBytes: Int, displaced: inout Value?
    ) -> StoreOutcome {
        guard let found = position(of: key, place) else {
            return insert(key, place, value, heapBytes: heapBytes) ? .inserted : .refused
        }
        guard account(heapBytes, for: found) else { return .refused }
        let old = unsafe entry(found)
        displaced = unsafe old.pointee.value
        unsafe old.pointee.value = value
        return .updated
    }

    /// Adds a key that is not there; false, and nothing changed, when there is no memory for it.
    @inlinable
    @inline(__always)
    mutating func insert(_ key: Key, _ place: UInt32, _ value: Value, heapBytes: Int) -> Bool {
        let bytes = min(heapBytes, Int(UInt32.max))
        guard bytes == 0 || takeHeapBytes(bytes) else { return false }
        let hasRoom = !isMoving && (count &+ 1) &* 4 <= current.capacity &* 3
        guard hasRoom || makeRoom() else {
            giveBackHeapBytes(bytes)
            return false
        }
        let slot = openSlot(place)
        let isInNext = UInt64(place) < boundary
        let target = unsafe (isInNext ? next : current).entries + slot
        unsafe target.initialize(
            to: Entry(head: UInt64(place) << 32 | UInt64(truncatingIfNeeded: bytes), key: key, value: value))
        count &+= 1
        return true
    }

    /// Takes `key` out with its value; nil when it was not there.
    @inlinable
    @inline(__always)
    mutating func remove(_ key: Key, _ place: UInt32) -> Entry? {
        guard let found = position(of: key, place) else { return nil }
        return remove(at: found)
    }

    /// Takes the entry out that a search has just found.
    @inlinable
    @inline(__always)
    mutating func remove(at found: Position) -> Entry {
        let entry = unsafe entry(found).move()
        didMoveOut(found, heapBytes: Int(truncatingIfNeeded: entry.head & 0xffff_ffff))
        return entry
    }

    /// Closes the slot of an entry that was moved out.
    @inlinable
    @inline(__always)
    mutating func didMoveOut(_ found: Position, heapBytes: Int) {
        if found.isInNext { next.close(found.slot) } else { current.close(found.slot) }
        count &-= 1
        if heapBytes != 0 { giveBackHeapBytes(heapBytes) }
        if isMoving {
            moveOn(slots: TypedTable.slotsPerStep)
        } else if current.capacity > 8 && count &* 5 < current.capacity {
            // Without the memory to become smaller it stays as it is.
            _ = beginMove(to: shrunkCapacity)
        }
    }

    /// Calls `body` with key and value of each entry, in the order of places.
    @inlinable
    func forEach(_ body: (Key, Value) -> Void) {
        for array in [next, current] {
            for slot in 0..<array.limit where unsafe array.head(slot) != 0 {
                let entry = unsafe array.entries + slot
                unsafe body(entry.pointee.key, entry.pointee.value)
            }
        }
    }

    // MARK: - Bytes elsewhere

    /// Lets the entry hold `bytes` from now on; false, and nothing changed, when there is no memory for more.
    @inlinable
    @inline(__always)
    mutating func account(_ bytes: Int, for found: Position) -> Bool {
        let array = found.isInNext ? next : current
        let head = unsafe array.head(found.slot)
        let (before, after) = (Int(truncatingIfNeeded: head & 0xffff_ffff), min(bytes, Int(UInt32.max)))
        if before == after { return true }
        if after > before {
            guard takeHeapBytes(after &- before) else { return false }
        } else {
            giveBackHeapBytes(before &- after)
        }
        unsafe array.setHead(head & ~0xffff_ffff | UInt64(truncatingIfNeeded: after), found.slot)
        return true
    }

    @usableFromInline
    mutating func takeHeapBytes(_ bytes: Int) -> Bool {
        guard budget.take(bytes) else { return false }
        heapBytes += bytes
        return true
    }

    @usableFromInline
    mutating func giveBackHeapBytes(_ bytes: Int) {
        budget.giveBack(bytes)
        heapBytes -= bytes
    }
}
