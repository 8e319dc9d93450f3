public import Instruments

// Growth and shrinking in small steps, and the memory of the arrays.

extension TypedTable {
    /// Makes room for one more entry; false when there is no memory for a longer array.
    @inlinable
    @inline(never)
    mutating func makeRoom() -> Bool {
        guard isMoving else { return beginMove(to: max(current.capacity &* 3 / 2, current.capacity &+ 8)) }
        moveOn(slots: TypedTable.slotsPerStep)
        return true
    }

    /// Half full; more where shrinking comes late, since memory was refused before: room for all that can be inserted while
    /// the old array is walked.
    @usableFromInline var shrunkCapacity: Int {
        let most = count + current.limit / TypedTable.slotsPerStep + 1
        return max(8, count * 2, most * 4 / 3 + 1)
    }

    /// An empty slot behind the entries of `place`, in the array that it belongs to.
    @inlinable
    @inline(__always)
    mutating func openSlot(_ place: UInt32) -> Int {
        if UInt64(place) < boundary { return TypedTable.openSlot(place, from: 0, in: &next, budget, &arrayBytes) }
        return TypedTable.openSlot(place, from: cursor, in: &current, budget, &arrayBytes)
    }

    @inlinable
    @inline(__always)
    static func openSlot(
        _ place: UInt32, from first: Int, in array: inout Entries, _ budget: MemoryBudget, _ arrayBytes: inout Int
    ) -> Int {
        while true {
            let slot = array.end(of: place, from: max(array.home(place), first))
            if array.open(slot) { return slot }
            lengthenTail(of: &array, budget, &arrayBytes)
        }
    }

    /// Moves up to `slots` slots from the old array to the new one, and returns how many it looked at. Entries of one place
    /// stay together, or `boundary` would part them: only keys whose hashes are bad make that more.
    @inlinable
    @inline(never)
    @discardableResult
    mutating func moveOn(slots: Int) -> Int {
        guard isMoving else { return 0 }
        let start = cursor
        var last: UInt32 = 0
        while cursor < current.limit {
            let head = unsafe current.head(cursor)
            let place = Entries.place(head)
            if cursor &- start >= slots, head == 0 || place != last { break }
            if head != 0 {
                let slot = TypedTable.openSlot(place, from: 0, in: &next, budget, &arrayBytes)
                unsafe (next.entries + slot).moveInitialize(from: current.entries + cursor, count: 1)
                unsafe current.setHead(0, cursor)
                last = place
                boundary = UInt64(place) &+ 1
            }
            cursor &+= 1
        }
        let visited = cursor &- start
        if cursor == current.limit {
            TypedTable.free(current, budget, &arrayBytes)
            current = next
            next = Entries()
            if growthBegan != 0 { growth.add(MonotonicClock.nanoseconds() &- growthBegan) }
            boundary = 0
            cursor = 0
        } else {
            unsafe EntryMemory.giveBackPages(
                current.entries, from: start &* Entries.stride, to: cursor &* Entries.stride,
                of: (current.limit &+ 1) &* Entries.stride)
        }
        return visited
    }

    @inlinable
    @inline(never)
    mutating func beginMove(to capacity: Int) -> Bool {
        let limit = capacity &+ max(16, min(256, capacity / 8))
        guard let array = TypedTable.make(capacity: capacity, limit: limit, budget, &arrayBytes, isForced: false)
        else { return false }
        // The first array is no growth: nothing moves.
        growthBegan = capacity > current.capacity && current.capacity > 0 ? MonotonicClock.nanoseconds() : 0
        next = array
        boundary = 0
        cursor = 0
        moveOn(slots: TypedTable.slotsPerStep)
        return true
    }

    @usableFromInline
    mutating func maintain(budget: Int) -> Int { moveOn(slots: budget) }

    /// Not in a `deinit`, which Swift 6.3.1 leaves out of release builds for a generic noncopyable struct.
    @usableFromInline
    mutating func releaseEntries() {
        for array in [next, current] {
            for slot in 0..<array.limit where unsafe array.head(slot) != 0 {
                unsafe (array.entries + slot).deinitialize(count: 1)
            }
            TypedTable.free(array, budget, &arrayBytes)
        }
        giveBackHeapBytes(heapBytes)
    }

    /// Doubles the tail, over the budget if need be. Only keys that clash, all at the end of the array, come here.
    @inlinable
    @inline(never)
    static func lengthenTail(of array: inout Entries, _ budget: MemoryBudget, _ arrayBytes: inout Int) {
        let limit = array.capacity &+ (array.limit &- array.capacity) &* 2
        guard let longer = make(capacity: array.capacity, limit: limit, budget, &arrayBytes, isForced: true) else {
            fatalError("out of memory: a table of \(limit) entries was refused")
        }
        for slot in 0..<array.limit where unsafe array.head(slot) != 0 {
            unsafe (longer.entries + slot).moveInitialize(from: array.entries + slot, count: 1)
        }
        free(array, budget, &arrayBytes)
        array = longer
    }

    @inlinable
    static func make(
        capacity: Int, limit: Int, _ budget: MemoryBudget, _ arrayBytes: inout Int, isForced: Bool
    ) -> Entries? {
        let stride = Entries.stride
        guard let block = unsafe EntryMemory.take(limit &+ 1, stride: stride, budget, isForced: isForced) else {
            return nil
        }
        arrayBytes &+= EntryMemory.bytes(limit &+ 1, stride: stride)
        return unsafe Entries(block.bindMemory(to: Entry.self, capacity: limit &+ 1), capacity: capacity, limit: limit)
    }

    @inlinable
    static func free(_ array: Entries, _ budget: MemoryBudget, _ arrayBytes: inout Int) {
        guard array.limit > 0 else { return }
        let stride = Entries.stride
        arrayBytes &-= EntryMemory.bytes(array.limit &+ 1, stride: stride)
        unsafe EntryMemory.giveBack(array.entries, array.limit &+ 1, stride: stride, budget)
    }
}
