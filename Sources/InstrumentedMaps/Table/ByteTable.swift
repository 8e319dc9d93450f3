import Glibc

// The table of one shard: open addressing with linear probing over 8-byte words, entries outside.
//
//     word:   63      48 47                        0        0 = empty
//            ├── tag ───┼──── record's address ────┤
//
//     slots:  [ · | A | B | · | C | · | · | D ]             A and B collided: a search for B starts at A's slot,
//                   ▲home(A) = home(B)                      and ends at the first empty one.
//
// A delete shifts the rest of the run back instead of leaving a tombstone, so that a table which lives on deletes (the
// very maps this project watches) does not rot. The tag answers most misses without touching a record. Growth doubles at
// three quarters full, all at once under the shard's lock.

/// Keys and values of one shard, with its own account of the bytes they take.
///
/// Not thread safe: every call stands under the shard's lock; `find` and `forEach` may share it.
@safe
struct ByteTable: ~Copyable {
    private static let addressMask: UInt64 = 0x0000_ffff_ffff_ffff
    private static let smallestCapacity = 8

    // Safety: `slots` points at `capacity` initialised words, or is nil while `capacity` is 0; each word that is not 0
    // owns one record. Both are private to this value.
    private var slots: UnsafeMutablePointer<UInt64>?
    /// Words in the index: 0 or a power of two.
    private(set) var capacity = 0
    /// Live entries.
    private(set) var count = 0
    /// Bytes of the live entries' records, as the allocator rounds them.
    private var recordBytes: UInt64 = 0
    /// Bytes of the index, as the allocator rounds them.
    private var indexBytes: UInt64 = 0

    init() { unsafe slots = nil }

    deinit {
        for index in 0..<capacity {
            if let record = unsafe ByteTable.record(in: slots, at: index) { unsafe record.free() }
        }
        unsafe free(slots)
    }

    /// Live entries with their records and index words: falls with every delete.
    var liveBytes: UInt64 { recordBytes + UInt64(count * MemoryLayout<UInt64>.stride) }

    /// What the allocator holds for records and index.
    var allocatedBytes: UInt64 { recordBytes + indexBytes }

    /// A copy of the value of `key`, or nil. Cost: one probe run and the copy.
    func find(_ key: Span<UInt8>, _ hash: KeyHash) -> [UInt8]? {
        guard let record = unsafe self.record(of: key, hash) else { return nil }
        return unsafe [UInt8](record.value)
    }

    /// Sets the value of `key`; true when the key is new.
    mutating func store(_ key: Span<UInt8>, _ hash: KeyHash, value: Span<UInt8>) -> Bool {
        if let index = slot(of: key, hash), let old = unsafe ByteTable.record(in: slots, at: index) {
            if unsafe !old.replaceValue(value) {
                let new = unsafe Record.make(hash: hash, key: key, value: value)
                unsafe recordBytes = recordBytes - old.allocatedBytes + new.allocatedBytes
                unsafe put(new, hash, at: index)
                unsafe old.free()
            }
            return false
        }
        if (count + 1) * 4 > capacity * 3 { grow() }
        let record = unsafe Record.make(hash: hash, key: key, value: value)
        unsafe put(record, hash, at: emptySlot(for: hash))
        unsafe recordBytes += record.allocatedBytes
        count += 1
        return true
    }

    /// Removes `key`; false when it was not there.
    mutating func remove(_ key: Span<UInt8>, _ hash: KeyHash) -> Bool {
        guard let index = slot(of: key, hash), let record = unsafe ByteTable.record(in: slots, at: index) else {
            return false
        }
        unsafe recordBytes -= record.allocatedBytes
        unsafe record.free()
        closeGap(at: index)
        count -= 1
        return true
    }

    /// Calls `body` with key and value of each entry, in the table's order.
    func forEach(_ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        for index in 0..<capacity {
            guard let record = unsafe ByteTable.record(in: slots, at: index) else { continue }
            // Safety: spans cannot outlive the call that they are passed to, and the record outlives it.
            unsafe body(Span(_unsafeBytes: record.key), Span(_unsafeBytes: record.value))
        }
    }

    // MARK: - Slots

    private static func record(in slots: UnsafeMutablePointer<UInt64>?, at index: Int) -> Record? {
        guard let slots = unsafe slots else { return nil }
        let address = unsafe slots[index] & addressMask
        guard let base = unsafe UnsafeMutableRawPointer(bitPattern: UInt(address)) else { return nil }
        return unsafe Record(base: base)
    }

    private func record(of key: Span<UInt8>, _ hash: KeyHash) -> Record? {
        guard let index = slot(of: key, hash) else { return nil }
        return unsafe ByteTable.record(in: slots, at: index)
    }

    /// The slot that holds `key`. Ends at the first empty slot; a quarter of the slots is always empty.
    private func slot(of key: Span<UInt8>, _ hash: KeyHash) -> Int? {
        guard let slots = unsafe slots else { return nil }
        let mask = capacity - 1
        var index = hash.home(mask: mask)
        while true {
            let word = unsafe slots[index]
            if word == 0 { return nil }
            if word >> 48 == hash.tag, let record = unsafe ByteTable.record(in: slots, at: index),
                unsafe record.hasKey(key)
            {
                return index
            }
            index = (index + 1) & mask
        }
    }

    private func emptySlot(for hash: KeyHash) -> Int {
        let mask = capacity - 1
        var index = hash.home(mask: mask)
        while unsafe ByteTable.record(in: slots, at: index) != nil { index = (index + 1) & mask }
        return index
    }

    private func put(_ record: Record, _ hash: KeyHash, at index: Int) {
        let address = UInt64(UInt(bitPattern: unsafe record.base))
        precondition(address & ~ByteTable.addressMask == 0, "the allocator returned an address above 48 bits")
        unsafe slots?[index] = hash.tag << 48 | address
    }

    /// Empties the slot at `gap` by moving back every later entry of the run that may stand there.
    private func closeGap(at gap: Int) {
        guard let slots = unsafe slots else { return }
        let mask = capacity - 1
        var gap = gap
        var index = (gap + 1) & mask
        while let record = unsafe ByteTable.record(in: slots, at: index) {
            // An entry may move to the gap unless its home lies cyclically after it.
            let home = unsafe record.hash.home(mask: mask)
            if (index - home) & mask >= (index - gap) & mask {
                unsafe slots[gap] = slots[index]
                gap = index
            }
            index = (index + 1) & mask
        }
        unsafe slots[gap] = 0
    }

    /// Doubles the index and puts every word where the longer mask wants it; no record moves.
    private mutating func grow() {
        let newCapacity = max(ByteTable.smallestCapacity, capacity * 2)
        guard let block = unsafe calloc(newCapacity, MemoryLayout<UInt64>.stride) else {
            fatalError("out of memory: the allocator refused an index of \(newCapacity) words")
        }
        let (oldSlots, oldCapacity) = unsafe (slots, capacity)
        unsafe slots = block.bindMemory(to: UInt64.self, capacity: newCapacity)
        capacity = newCapacity
        indexBytes = unsafe Record.allocatedBytes(of: block)
        for index in 0..<oldCapacity {
            guard let record = unsafe ByteTable.record(in: oldSlots, at: index) else { continue }
            let hash = unsafe record.hash
            unsafe put(record, hash, at: emptySlot(for: hash))
        }
        unsafe free(oldSlots)
    }
}
