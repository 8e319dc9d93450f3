import CSystem
import Glibc

// The records of one shard, in slabs of one slot size each:
//
//     directory:  [–|slab 1|slab 2|slab 3|…]        ref = slab number and unit: 4 bytes, and no record ever moves under it
//                     │ class 8 (128-byte slots)    but when compaction moves it and writes the new ref to the index
//                     ▼
//                   [R|R|·|R|R|·| untouched … ]     freed slots are chained; the rest has never been touched
//
// A class begins with a slab of 4 KiB and doubles up to 64 KiB, so that 256 nearly empty shards cost 1 MiB and not 16.
// Records over 2 KiB have a heap block to themselves.
//
// Random deletes leave every slab a little used. `compact` empties the least used slab of a class into the others, a few
// records at a time, and gives its pages back: that is how memory returns after a mass delete.
//
// Bounds: 2^20 slabs, 64 GiB a shard; slots waste less than 16 bytes a record. Memory is asked for in the budget first.

/// Slots for records, with an account of the memory that they take.
///
/// Not thread safe: every call stands under the shard's lock; `record(at:)` may share it.
@safe
struct RecordStore: ~Copyable {
    /// Records of more units have a block of their own.
    static let largestClass = 2048 / RecordRef.unitBytes

    private static let smallestSlab = 4096
    static let unitsOfSmallest = smallestSlab / RecordRef.unitBytes

    // What an insert or a delete looks at comes first, in one line with the end of the index (see ByteTable.swift).
    // Safety: `slabs` has room for `capacity` slabs, of which those below `count` are initialised (but the first, which
    // is never used); a slab in the chain of `firstUnused` is released. All is private to this value.
    var slabs: UnsafeMutablePointer<Slab>?
    /// One per number of units; a plain block, since an array would check its uniqueness at each write. Written through a
    /// local pointer: at `classes[n].slabs += 1` Swift 6.3.1 tells ThreadSanitizer of a write to the first field's object.
    let classes: UnsafeMutablePointer<SizeClass>
    /// Bytes of live records, rounded to their size class.
    private(set) var liveBytes = 0
    /// `chores`: a slot was freed since ``compact(budget:_:didMove:)`` found nothing to do, in a class where that may have
    /// changed. Without it there is nothing to compact.
    var upkeep: TableUpkeep = []
    /// How often ``slabAddresses`` has moved.
    private(set) var directoryGrowths: UInt32 = 0
    /// The addresses of the slabs by their numbers: eight to a cache line, where descriptors fill one each, which every
    /// insert and every delete writes.
    private var addresses: UnsafeMutableRawPointer?
    /// Bytes of all slabs and of the directory.
    private(set) var allocatedBytes = 0

    private var capacity = 0
    /// Room for so many addresses: more than `capacity` after only these could grow.
    private var addressCapacity = 0
    private var count = 1
    /// Numbers of released slabs, chained by `next`.
    private var firstUnused: UInt32 = 0
    private let budget: MemoryBudget

    init(budget: MemoryBudget) {
        self.budget = budget
        unsafe addresses = nil
        unsafe slabs = nil
        let classes = UnsafeMutablePointer<SizeClass>.allocate(capacity: RecordStore.largestClass + 1)
        unsafe classes.initialize(repeating: SizeClass(), count: RecordStore.largestClass + 1)
        unsafe self.classes = classes
    }

    deinit {
        for number in 1..<max(count, 1) {
            if let slab = unsafe slabs?[number], slab.used > 0 { slab.block.free() }
        }
        unsafe free(slabs)
        unsafe free(addresses)
        unsafe classes.deallocate()
        budget.giveBack(allocatedBytes)
    }

    /// The record at `ref`, which must be live.
    @inline(__always)
    func record(at ref: RecordRef) -> Record {
        // Safety: there is no reference before there is a slab, and its address.
        unsafe RecordStore.record(at: ref, addresses.unsafelyUnwrapped)
    }

    /// The record at `ref`, of a store with these ``slabAddresses``.
    @inline(__always)
    static func record(at ref: RecordRef, _ slabAddresses: UnsafeRawPointer) -> Record {
        // Safety: the caller says so.
        let slab = unsafe slabAddresses.load(fromByteOffset: ref.slab &* 8, as: UnsafeMutableRawPointer.self)
        return unsafe Record(base: slab + Int(ref.unit) &* RecordRef.unitBytes)
    }

    /// A slot for `size` bytes; nil, and nothing changed, when the budget or the system has no memory for it.
    @inline(__always)
    mutating func allocate(_ size: Int, _ writes: some TableWrites) -> RecordRef? {
        let units = RecordStore.units(size)
        guard units <= RecordStore.largestClass else { return allocateLarge(size, writes) }
        if unsafe classes[units].firstPartial == 0, !addSlab(units, writes) { return nil }
        liveBytes &+= units &* RecordRef.unitBytes
        return unsafe takeSlot(units).ref
    }

    /// A slot of so many units in a slab that there is; nil, and nothing changed, where one is to be made.
    @inline(__always)
    mutating func takeFreeSlot(_ units: Int) -> (ref: RecordRef, record: Record)? {
        guard unsafe classes[units].firstPartial != 0 else { return nil }
        liveBytes &+= units &* RecordRef.unitBytes
        return unsafe takeSlot(units)
    }

    /// Frees the slot of a live record.
    @inline(__always)
    mutating func release(_ ref: RecordRef, _ writes: some TableWrites) {
        guard let slabs = unsafe slabs else { return }
        let slab = unsafe slabs + ref.slab
        let units = unsafe slab.pointee.slotUnits
        guard units > 0 else {
            unsafe liveBytes &-= slab.pointee.bytes
            releaseSlab(ref.slab, writes)
            return
        }
        liveBytes &-= units &* RecordRef.unitBytes
        freeSlot(ref, units, writes)
    }

    /// A slot that can be freed without anything else of the store becoming another.
    @safe
    struct FreeableSlot {
        // Safety: valid until the next change.
        fileprivate let slab: UnsafeMutablePointer<Slab>
        fileprivate let units: Int
        fileprivate let unit: UInt32
        /// Live slots of its slab, this one too.
        fileprivate let used: Int
    }

    /// The slot of the live record at `ref`; nil where its slab would go with it, or become one with free slots, or where
    /// there would be something to compact that was not before.
    @inline(__always)
    func freeableSlot(_ ref: RecordRef) -> FreeableSlot? {
        guard let slabs = unsafe slabs else { return nil }
        let slab = unsafe slabs + ref.slab
        let (used, units) = unsafe (slab.pointee.used, slab.pointee.slotUnits)
        guard used > 1, unsafe used != slab.pointee.slots else { return nil }
        let sizeClass = unsafe classes + units
        guard unsafe upkeep.contains(.chores) || sizeClass.pointee.freeSlots &+ 1 < sizeClass.pointee.compactFrom else {
            return nil
        }
        return unsafe FreeableSlot(slab: slab, units: units, unit: ref.unit, used: used)
    }

    /// Frees it; `record` is the one in it.
    @inline(__always)
    mutating func releaseSlot(_ slot: FreeableSlot, _ record: Record, _ writes: some TableWrites) {
        liveBytes &-= slot.units &* RecordRef.unitBytes
        unsafe writes.setFree(record, next: slot.slab.pointee.firstFree)
        unsafe slot.slab.pointee.firstFree = slot.unit &+ 1
        unsafe slot.slab.pointee.used = slot.used &- 1
        let sizeClass = unsafe classes + slot.units
        unsafe sizeClass.pointee.freeSlots &+= 1
    }

    /// Whether a record may be of either size in one slot. Asked of the record's own size, which is at hand, and not of the
    /// slab, whose line every insert and delete of other records writes.
    @inline(__always)
    static func haveOneClass(_ one: Int, _ other: Int) -> Bool {
        units(one) == units(other) && units(one) <= largestClass
    }

    /// The class of a record: its size in units, rounded up.
    @inline(__always)
    static func units(_ size: Int) -> Int { (size &+ RecordRef.unitBytes &- 1) / RecordRef.unitBytes }

    /// Notes that a record has a deadline.
    mutating func noteDeadline() { upkeep.insert(.deadlines) }

    // MARK: - Slots

    @inline(__always)
    mutating func takeSlot(_ units: Int) -> (ref: RecordRef, record: Record) {
        guard let slabs = unsafe slabs else { fatalError("a class without a slab") }
        let number = unsafe classes[units].firstPartial
        let slab = unsafe slabs + Int(number)
        let unit: UInt32
        if unsafe slab.pointee.firstFree != 0 {
            unit = unsafe slab.pointee.firstFree &- 1
            let record = unsafe Record(base: slab.pointee.base + Int(unit) &* RecordRef.unitBytes)
            let next = unsafe record.nextFree
            unsafe slab.pointee.firstFree = next
            // The next insert of this class will read it, and write it.
            if next != 0 { unsafe fetchSlot(slab.pointee.base, next &- 1) }
        } else {
            unit = unsafe UInt32(truncatingIfNeeded: slab.pointee.untouched &* units)
            unsafe slab.pointee.untouched &+= 1
        }
        unsafe slab.pointee.used &+= 1
        let sizeClass = unsafe classes + units
        unsafe sizeClass.pointee.freeSlots &-= 1
        if unsafe slab.pointee.isFull { unlink(number, units) }
        let record = unsafe Record(base: slab.pointee.base + Int(unit) &* RecordRef.unitBytes)
        return unsafe (RecordRef(slab: number, unit: unit), record)
    }

    /// Asks for the first two lines of a slot that will be written.
    @inline(__always)
    private func fetchSlot(_ slab: UnsafeMutableRawPointer, _ unit: UInt32) {
        let slot = unsafe slab + Int(unit) &* RecordRef.unitBytes
        unsafe mapwatch_prefetch_to_write(slot)
        unsafe mapwatch_prefetch_to_write(slot + 64)
    }

    @inline(__always)
    mutating func freeSlot(_ ref: RecordRef, _ units: Int, _ writes: some TableWrites) {
        guard let slabs = unsafe slabs else { return }
        let slab = unsafe slabs + ref.slab
        let wasFull = unsafe slab.pointee.isFull
        unsafe writes.setFree(record(at: ref), next: slab.pointee.firstFree)
        unsafe slab.pointee.firstFree = ref.unit &+ 1
        unsafe slab.pointee.used &-= 1
        let sizeClass = unsafe classes + units
        unsafe sizeClass.pointee.freeSlots &+= 1
        if unsafe sizeClass.pointee.mayCompact { upkeep.insert(.chores) }
        if wasFull { link(UInt32(truncatingIfNeeded: ref.slab), units) }
        if unsafe slab.pointee.used == 0 { releaseSlab(ref.slab, writes) }
    }

    mutating func link(_ number: UInt32, _ units: Int) {
        guard let slabs = unsafe slabs else { return }
        let head = unsafe classes[units].firstPartial
        unsafe slabs[Int(number)].previous = 0
        unsafe slabs[Int(number)].next = head
        if head != 0 { unsafe slabs[Int(head)].previous = number }
        let sizeClass = unsafe classes + units
        unsafe sizeClass.pointee.firstPartial = number
    }

    mutating func unlink(_ number: UInt32, _ units: Int) {
        guard let slabs = unsafe slabs else { return }
        let (previous, next) = unsafe (slabs[Int(number)].previous, slabs[Int(number)].next)
        let sizeClass = unsafe classes + units
        if previous == 0 {
            unsafe sizeClass.pointee.firstPartial = next
        } else {
            unsafe slabs[Int(previous)].next = next
        }
        if next != 0 { unsafe slabs[Int(next)].previous = previous }
    }

    // MARK: - Slabs

    private mutating func addSlab(_ units: Int, _ writes: some TableWrites) -> Bool {
        // At least four slots a slab, but no more than 64 KiB.
        let least = max(RecordStore.smallestSlab, (units * RecordRef.unitBytes * 4).nextPowerOf2)
        let bytes = unsafe min(SlabPool.slabBytes, least << min(Int(classes[units].slabs), 4))
        guard let slab = Slab.make(slotUnits: units, bytes: bytes), let number = add(slab, writes) else {
            return false
        }
        let sizeClass = unsafe classes + units
        unsafe sizeClass.pointee.add(slab.slots, units)
        link(number, units)
        return true
    }

    private mutating func allocateLarge(_ size: Int, _ writes: some TableWrites) -> RecordRef? {
        guard let slab = Slab.make(largeRecord: size), let number = add(slab, writes) else { return nil }
        liveBytes += slab.bytes
        return RecordRef(slab: number, unit: 0)
    }

    /// Numbers the slab, or releases it when there is no room for it.
    private mutating func add(_ slab: Slab, _ writes: some TableWrites) -> UInt32? {
        let hasNumber = firstUnused != 0 || count < capacity || growDirectory(writes)
        guard hasNumber, budget.take(slab.bytes) else {
            slab.block.free()
            return nil
        }
        allocatedBytes += slab.bytes
        let number = firstUnused != 0 ? Int(firstUnused) : count
        if firstUnused != 0 {
            firstUnused = unsafe slabs?[number].next ?? 0
        } else {
            count += 1
        }
        unsafe slabs?[number] = slab
        showAddress(of: slab, number)
        return UInt32(number)
    }

    private mutating func growDirectory(_ writes: some TableWrites) -> Bool {
        let newCapacity = min(max(8, capacity * 2), RecordRef.maximumSlab + 1)
        guard growAddresses(newCapacity, writes) else { return false }
        let growth = (newCapacity - capacity) * MemoryLayout<Slab>.stride
        guard growth > 0, budget.take(growth) else { return false }
        guard let block = unsafe HeapMemory.resize(slabs, to: newCapacity * MemoryLayout<Slab>.stride) else {
            budget.giveBack(growth)
            return false
        }
        allocatedBytes += growth
        unsafe slabs = block.assumingMemoryBound(to: Slab.self)
        capacity = newCapacity
        return true
    }

    private mutating func releaseSlab(_ number: Int, _ writes: some TableWrites) {
        guard let slabs = unsafe slabs else { return }
        let slab = unsafe slabs[number]
        if slab.slotUnits > 0 {
            unlink(UInt32(number), slab.slotUnits)
            let sizeClass = unsafe classes + slab.slotUnits
            unsafe sizeClass.pointee.remove(slab.slots, slab.slotUnits)
        }
        allocatedBytes -= slab.bytes
        writes.letGo(slab.block, budget: budget)
        unsafe slabs[number].used = 0
        unsafe slabs[number].next = firstUnused
        firstUnused = UInt32(number)
    }
}

// MARK: - The addresses of the slabs

extension RecordStore {
    /// One word a slab: its address by its number. Readers without a lock look there too.
    var slabAddresses: UnsafeMutableRawPointer? { unsafe addresses }

    private func showAddress(of slab: Slab, _ number: Int) {
        guard let addresses = unsafe addresses else { return }
        unsafe SharedWords.store(UInt64(UInt(bitPattern: slab.base)), at: addresses + number * 8)
    }

    /// Makes room for the addresses of more slabs than now.
    private mutating func growAddresses(_ newCapacity: Int, _ writes: some TableWrites) -> Bool {
        guard newCapacity > addressCapacity else { return true }
        let (old, oldBytes) = unsafe (addresses, addressCapacity * 8)
        guard budget.take(newCapacity * 8) else { return false }
        guard let grown = unsafe HeapMemory.takeZeroes(newCapacity, stride: 8) else {
            budget.giveBack(newCapacity * 8)
            return false
        }
        allocatedBytes += newCapacity * 8
        unsafe addresses = grown
        directoryGrowths &+= 1
        addressCapacity = newCapacity
        guard let old = unsafe old else { return true }
        unsafe memcpy(grown, old, oldBytes)
        allocatedBytes -= oldBytes
        writes.letGo(unsafe MemoryBlock(start: old, bytes: oldBytes, source: .heap), budget: budget)
        return true
    }
}

extension Int {
    /// The least power of two that is not below this positive number.
    var nextPowerOf2: Int { 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
