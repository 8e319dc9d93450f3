// Emptying of half-empty slabs, which gives memory back after deletes that came at random.

extension RecordStore {
    /// Moves up to `budget` records out of slabs that are at most half used, and returns how many it moved; 0 when there
    /// is nothing to gain. `didMove` learns of each record's old and new place before the old one is gone.
    mutating func compact(
        budget: Int, _ writes: some TableWrites,
        didMove: (_ store: borrowing RecordStore, _ old: RecordRef, _ new: RecordRef) -> Void
    ) -> Int {
        guard upkeep.contains(.chores) else { return 0 }
        var moved = 0
        for units in 1...RecordStore.largestClass where unsafe classes[units].mayCompact {
            while moved < budget, let victim = victim(units) {
                moved += empty(victim, units, budget: budget - moved, writes, didMove)
            }
        }
        if moved == 0 { upkeep.remove(.chores) }
        return moved
    }

    /// The least used of the slabs of a class that are at most half used, if the others have room for what it holds. Where
    /// there is none, slots that are taken make none: only one that is freed does.
    func victim(_ units: Int) -> UInt32? {
        guard let slabs = unsafe slabs else { return nil }
        var least: UInt32 = 0
        var number = unsafe classes[units].firstPartial
        while number != 0 {
            let slab = unsafe slabs + Int(number)
            if unsafe slab.pointee.used * 2 <= slab.pointee.slots,
                unsafe least == 0 || slab.pointee.used < slabs[Int(least)].used
            {
                least = number
            }
            number = unsafe slab.pointee.next
        }
        guard least != 0 else { return nil }
        let slab = unsafe slabs[Int(least)]
        let freeElsewhere = unsafe Int(classes[units].freeSlots) - (slab.slots - slab.used)
        return freeElsewhere >= slab.used ? least : nil
    }

    /// Moves records out of one slab, from its end; the last one that goes takes the slab with it.
    private mutating func empty(
        _ number: UInt32, _ units: Int, budget: Int, _ writes: some TableWrites,
        _ didMove: (_ store: borrowing RecordStore, _ old: RecordRef, _ new: RecordRef) -> Void
    ) -> Int {
        var moved = 0
        var slot = unsafe (slabs?[Int(number)].untouched ?? 0) - 1
        // The slab stands aside while its records look for new slots.
        unlink(number, units)
        while slot >= 0, moved < budget {
            let old = RecordRef(slab: number, unit: UInt32(slot * units))
            let source = unsafe record(at: old)
            slot -= 1
            guard unsafe source.isLive else { continue }
            let new = unsafe takeSlot(units)
            unsafe writes.copy(source, to: new.record)
            unsafe didMove(self, old, new.ref)
            moved += 1
            if unsafe slabs?[Int(number)].used == 1 {
                link(number, units)
                freeSlot(old, units, writes)
                return moved
            }
            freeSlot(old, units, writes)
        }
        link(number, units)
        return moved
    }
}
