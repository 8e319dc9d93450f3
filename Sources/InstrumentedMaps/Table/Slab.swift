import CSystem
import Glibc

/// A block of slots of one size, or one large record.
///
/// Not thread safe: it stands under the shard's lock.
@safe
struct Slab {
    // Safety: the block is released once, by the store that holds the slab.
    let base: UnsafeMutableRawPointer
    /// What the block takes, as its source rounds it.
    let bytes: Int
    /// The size of a slot in units of 16 bytes; 0 for a large record that has the block to itself.
    let slotUnits: Int
    let slots: Int
    /// Live slots.
    var used = 0
    /// Slots from here on were never used.
    var untouched = 0
    /// The unit of the first freed slot plus one; 0 when there is none.
    var firstFree: UInt32 = 0
    /// Neighbours in the list of slabs of this class that have a free slot; 0 is none.
    var previous: UInt32 = 0
    var next: UInt32 = 0

    var isFull: Bool { used == slots }

    /// A slab of slots of `slotUnits`, `bytes` large (at most ``SlabPool/slabBytes``); nil when no memory is left.
    static func make(slotUnits: Int, bytes: Int) -> Slab? {
        let fromPool = bytes == SlabPool.slabBytes
        guard let base = unsafe fromPool ? SlabPool.shared.take() : HeapMemory.take(bytes) else { return nil }
        return unsafe Slab(
            base: base, bytes: fromPool ? bytes : unsafe mapwatch_usable_size(base) + Slab.heapOverhead,
            slotUnits: slotUnits, slots: bytes / (slotUnits * RecordRef.unitBytes))
    }

    /// A block for one record of `size` bytes; nil when no memory is left.
    static func make(largeRecord size: Int) -> Slab? {
        // To a whole word, which no heap rounds any further up than the size itself.
        guard let base = unsafe HeapMemory.take((size + 7) / 8 * 8) else { return nil }
        return unsafe Slab(
            base: base, bytes: mapwatch_usable_size(base) + heapOverhead, slotUnits: 0, slots: 1, used: 1, untouched: 1)
    }

    /// What the heap keeps beside each block (glibc: the size word of the chunk).
    static let heapOverhead = 8

    /// The memory of the slab, which ends with it.
    var block: MemoryBlock {
        let isFromPool = slotUnits > 0 && bytes == SlabPool.slabBytes
        return unsafe MemoryBlock(start: base, bytes: bytes, source: isFromPool ? .slabPool : .heap)
    }
}

/// Where a record is: the number of its slab and its unit of 16 bytes in it. Never 0.
///
///     31                 12 11          0
///     ├── slab, from 1 ────┤├── unit ────┤
struct RecordRef: Equatable {
    static let unitBytes = 16
    private static let unitBits: UInt32 = 12

    let bits: UInt32

    @inline(__always)
    init(bits: UInt32) { self.bits = bits }

    @inline(__always)
    init(slab: UInt32, unit: UInt32) { bits = slab << RecordRef.unitBits | unit }

    @inline(__always)
    var slab: Int { Int(bits >> RecordRef.unitBits) }

    @inline(__always)
    var unit: UInt32 { bits & (1 << RecordRef.unitBits - 1) }

    /// The largest slab number.
    static let maximumSlab = 1 << (32 - 12) - 1
}
