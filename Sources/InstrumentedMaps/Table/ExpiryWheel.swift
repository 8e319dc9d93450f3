import CSystem
import Glibc

// Which records expire when: a timing wheel of six levels with 64 slots each, where a slot of one level is as long as
// the whole level below (Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987).
//
//     level 1   [ · | · |███| · | …          hand ──▶ digit 1 = 1, digit 0 = 5         64 ticks a slot
//     level 0   [ · | · | · | · | · |hand| · |██| …                                     1 tick a slot
//                                               └▶ R ⇄ R ⇄ R       chained through the records' headers
//
// A record stands in the level of the highest digit (of 6 bits) in which its deadline differs from the hand, in the slot
// of that digit. So no slot before the hand holds anything; when the hand enters a slot above level 0, its records are
// filed again, further down; in level 0 they are due. The hand jumps from one occupied slot to the next.
//
// Each record is filed again at most five times, and goes from its slot in one step when it is deleted or replaced:
// nothing stale remains. Chains run through the records, so an entry without a deadline has nothing to do with this, one
// with a deadline costs 12 bytes, and the wheel itself 1.6 KB a shard from the first such entry on. Tried on paper before:
// words of place and deadline beside the records, which deletes leave behind until their time, however far that is.

/// The records of one table by deadline.
///
/// Not thread safe: every call stands under the shard's exclusive lock.
@safe
struct ExpiryWheel: ~Copyable {
    private static let levels = 6
    private static let slotsPerLevel = 64

    /// Bytes of the block.
    private(set) var bytes = 0
    /// Records in the wheel.
    private(set) var count = 0
    private let budget: MemoryBudget
    // Safety: both lie in one block that this value frees: a bit for each slot that holds a record, one word a level, and
    // behind them the first record of each slot, 0 for none. Nil until the first record comes.
    private var occupied: UnsafeMutablePointer<UInt64>?
    private var heads: UnsafeMutablePointer<UInt32>?
    /// The tick up to which all that was due has gone.
    private var hand: UInt32 = 0

    init(budget: MemoryBudget) {
        self.budget = budget
        unsafe occupied = nil
        unsafe heads = nil
    }

    deinit {
        unsafe free(occupied)
        budget.giveBack(bytes)
    }

    /// Sees to it that a record can be added; false, when there is no memory for the slots.
    mutating func makeRoom(at now: UInt32) -> Bool {
        if bytes > 0 { return true }
        let slots = ExpiryWheel.levels * ExpiryWheel.slotsPerLevel
        guard let block = unsafe HeapMemory.takeZeroes(1, stride: ExpiryWheel.levels * 8 + slots * 4) else {
            return false
        }
        let size = unsafe mapwatch_usable_size(block) + Slab.heapOverhead
        guard budget.take(size) else {
            unsafe free(block)
            return false
        }
        bytes = size
        unsafe occupied = block.bindMemory(to: UInt64.self, capacity: ExpiryWheel.levels)
        unsafe heads = (block + ExpiryWheel.levels * 8).bindMemory(to: UInt32.self, capacity: slots)
        hand = now
        return true
    }

    /// Files a record that expires; ``makeRoom(at:)`` has been asked.
    mutating func add(_ ref: RecordRef, in store: borrowing RecordStore, _ writes: some TableWrites) {
        file(ref, in: store, writes)
        count += 1
    }

    /// Takes the record out of its slot, before it goes or is written anew.
    mutating func remove(_ ref: RecordRef, in store: borrowing RecordStore, _ writes: some TableWrites) {
        unlink(ref, in: store, writes)
        count -= 1
    }

    /// The record has moved to `ref`, links and all: its neighbours learn of it.
    func didMove(to ref: RecordRef, in store: borrowing RecordStore, _ writes: some TableWrites) {
        let record = unsafe store.record(at: ref)
        unsafe setNext(of: record.previous, to: ref.bits, in: store, writes)
        unsafe setPrevious(of: record.next, to: ref.bits, in: store, writes)
    }

    /// A record that is due at `now`, which stays where it is; nil when there is none, or none was found before `budget`
    /// was used up. Each record that is filed again takes 1 of it.
    mutating func nextDue(
        at now: UInt32, budget: inout Int, in store: borrowing RecordStore, _ writes: some TableWrites
    ) -> RecordRef? {
        guard count > 0, let heads = unsafe heads else { return nil }
        while hand <= now, budget > 0 {
            if let ref = misfiled() {
                unlink(ref, in: store, writes)
                file(ref, in: store, writes)
                budget -= 1
                continue
            }
            let due = unsafe heads[Int(hand & 63)]
            if due != 0 { return RecordRef(bits: due) }
            guard let next = nextOccupied(), next <= now else {
                hand = now
                return nil
            }
            hand = next
        }
        return nil
    }

    /// The first record of a slot above level 0 that the hand stands in.
    private func misfiled() -> RecordRef? {
        guard let heads = unsafe heads else { return nil }
        for level in 1..<ExpiryWheel.levels {
            let head = unsafe heads[level * ExpiryWheel.slotsPerLevel + digit(level, of: hand)]
            if head != 0 { return RecordRef(bits: head) }
        }
        return nil
    }

    /// The first tick of the next slot behind the hand that holds a record.
    private func nextOccupied() -> UInt32? {
        guard let occupied = unsafe occupied else { return nil }
        for level in 0..<ExpiryWheel.levels {
            let later = unsafe occupied[level] & ~(UInt64.max >> UInt64(63 - digit(level, of: hand)))
            if later != 0 {
                let shift = UInt64(6 * level)
                // All above the digit stays, the digit is the slot's, and below it the slot begins.
                let above = UInt64(hand) & (UInt64.max << (shift + 6))
                return UInt32(truncatingIfNeeded: above | UInt64(later.trailingZeroBitCount) << shift)
            }
        }
        return nil
    }

    // MARK: - Chains

    private func file(_ ref: RecordRef, in store: borrowing RecordStore, _ writes: some TableWrites) {
        guard let heads = unsafe heads, let occupied = unsafe occupied else { return }
        let record = unsafe store.record(at: ref)
        // A deadline before the hand, if a clock ever goes back, is due at once.
        let deadline = unsafe max(record.deadline, hand)
        let level = (31 - max(1, deadline ^ hand).leadingZeroBitCount) / 6
        let number = level * ExpiryWheel.slotsPerLevel + digit(level, of: deadline)
        let head = unsafe heads[number]
        unsafe record.setLinks(next: head, previous: UInt32(number), writes)
        setPrevious(of: head, to: ref.bits, in: store, writes)
        unsafe heads[number] = ref.bits
        unsafe occupied[level] |= 1 << UInt64(number % ExpiryWheel.slotsPerLevel)
    }

    private func unlink(_ ref: RecordRef, in store: borrowing RecordStore, _ writes: some TableWrites) {
        let record = unsafe store.record(at: ref)
        let (previous, next) = unsafe (record.previous, record.next)
        setNext(of: previous, to: next, in: store, writes)
        setPrevious(of: next, to: previous, in: store, writes)
    }

    /// Sets what stands before a record; 0 is none.
    private func setPrevious(
        of next: UInt32, to previous: UInt32, in store: borrowing RecordStore, _ writes: some TableWrites
    ) {
        guard next != 0 else { return }
        let record = unsafe store.record(at: RecordRef(bits: next))
        unsafe record.setLinks(next: record.next, previous: previous, writes)
    }

    /// Sets what follows a record, or what a slot begins with: numbers of slots are smaller than any reference.
    private func setNext(
        of previous: UInt32, to next: UInt32, in store: borrowing RecordStore, _ writes: some TableWrites
    ) {
        guard previous < UInt32(ExpiryWheel.levels * ExpiryWheel.slotsPerLevel) else {
            let record = unsafe store.record(at: RecordRef(bits: previous))
            unsafe record.setLinks(next: next, previous: record.previous, writes)
            return
        }
        guard let heads = unsafe heads, let occupied = unsafe occupied else { return }
        let number = Int(previous)
        unsafe heads[number] = next
        if next == 0 {
            let level = number / ExpiryWheel.slotsPerLevel
            unsafe occupied[level] &= ~(1 << UInt64(number % ExpiryWheel.slotsPerLevel))
        }
    }

    /// Six bits of a tick.
    private func digit(_ level: Int, of tick: UInt32) -> Int { Int(UInt64(tick) >> UInt64(6 * level)) & 63 }
}
