/// What a ``RecordStore`` knows of all slabs of one slot size.
struct SizeClass {
    /// The first slab that has a free slot; 0 is none.
    var firstPartial: UInt32 = 0
    var slabs: UInt32 = 0
    /// Free slots in all slabs of the class.
    var freeSlots: UInt32 = 0
    /// So many free slots that ``mayCompact``.
    var compactFrom = UInt32.max

    /// Whether a slab may be at most half used while the others have room for what it holds: as many slots as it has
    /// are free then, and the smallest slab has 4 KiB.
    @inline(__always)
    var mayCompact: Bool { freeSlots >= compactFrom }

    /// Adds a slab of as many free slots of `units`.
    mutating func add(_ slots: Int, _ units: Int) {
        slabs += 1
        freeSlots += UInt32(slots)
        noteSlabs(units)
    }

    /// Takes one away, of which all slots were free.
    mutating func remove(_ slots: Int, _ units: Int) {
        slabs -= 1
        freeSlots -= UInt32(slots)
        noteSlabs(units)
    }

    private mutating func noteSlabs(_ units: Int) {
        compactFrom = slabs > 1 ? UInt32(RecordStore.unitsOfSmallest / units) : .max
    }
}
