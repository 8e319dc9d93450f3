public import Glibc
public import Synchronization

// Who is reading without a lock, so that memory is not taken away from under a reader.
//
//     epoch  7      slots:  [ 0 idle | 7 inside | 5 inside | 0 idle | … ]     a cache line pair each, one per thread
//                                                 ▲ oldest reader: what was retired at 5 or later stays
//
//     reader:   slot := epoch ──▶ look at epoch ──▶ follow pointers, copy ──▶ slot := 0
//     writer:   unlink ──▶ t := epoch, epoch += 1 ──▶ look at the slots: all idle or above t? then nobody can hold it
//
// Reader and writer each write first and look second, all four sequentially consistent: either the writer sees the
// reader's slot, or the reader sees the writer's epoch and with it that the memory is unlinked. Nobody waits for anybody.
// The writer's look costs a line per thread that has ever read, and memory is retired once per slab or index array.
//
// A thread gets a slot when it first reads and gives it back when it ends. A thread that finds none left takes the lock.

/// The readers that are inside some table of the process, each with the epoch at which it entered.
///
/// A value that points to shared cells; copies are the same epochs. Concurrency: any thread, no lock. Cost: some 8 ns
/// to enter (one locked instruction in a line of the thread's own), 1 ns to leave.
@safe
public struct ReaderEpochs: Sendable {
    /// The epochs of this process.
    public static let shared = ReaderEpochs(slots: 512)

    @usableFromInline static var idle: UInt64 { 0 }

    /// Cells of one slot, or of the head: two cache lines, because the prefetcher of x86 moves them in pairs.
    @usableFromInline static var cellsPerLine: Int { 16 }

    // Safety: `(1 + slots) × cellsPerLine` atomic cells that live for as long as somebody may use these epochs; the head
    // comes first. The thread's own slot stands under `key`.
    @usableFromInline nonisolated(unsafe) let cells: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let key: pthread_key_t
    public let slots: Int

    /// New epochs with room for `slots` threads at once; ``destroy()`` ends them.
    public init(slots: Int) {
        let count = (1 + slots) * ReaderEpochs.cellsPerLine
        // Safety: aligned to its lines; each cell is initialised once.
        let block = UnsafeMutableRawPointer.allocate(byteCount: count * 8, alignment: 128)
        let cells = unsafe block.bindMemory(to: Atomic<UInt64>.self, capacity: count)
        for index in 0..<count { unsafe (cells + index).initialize(to: Atomic(0)) }
        unsafe cells[0].store(1, ordering: .relaxed)
        var key = pthread_key_t()
        // Safety: the destructor is handed what `claim` has set: the line of a slot.
        let status = unsafe pthread_key_create(&key) { unsafe ReaderEpochs.giveBack($0) }
        precondition(status == 0, "pthread_key_create failed with errno \(status)")
        unsafe self.cells = cells
        self.key = key
        self.slots = slots
    }

    /// Frees the cells. Nobody may be inside or enter any more, and no thread that has read may be left.
    public func destroy() {
        pthread_key_delete(key)
        unsafe cells.deallocate()
    }

    @usableFromInline var epoch: UnsafeMutablePointer<Atomic<UInt64>> { unsafe cells }
    private var slotsUsed: UnsafeMutablePointer<Atomic<UInt64>> { unsafe cells + 1 }

    // MARK: - Readers

    /// Enters: whatever is reachable from now on stays until ``ReaderSlot/leave()``. nil when more threads read than
    /// there are slots. A thread that is inside must not enter again.
    @inlinable
    @inline(__always)
    public func enter() -> ReaderSlot? {
        // Safety: the thread's own line, or none yet.
        guard let line = unsafe pthread_getspecific(key) ?? claim() else { return nil }
        let slot = unsafe ReaderSlot(cells: line.assumingMemoryBound(to: Atomic<UInt64>.self))
        unsafe slot.cells[0].store(epoch.pointee.load(ordering: .relaxed), ordering: .sequentiallyConsistent)
        _ = unsafe epoch.pointee.load(ordering: .sequentiallyConsistent)
        return slot
    }

    /// A slot for this thread until it ends.
    @inline(never)
    @usableFromInline
    func claim() -> UnsafeMutableRawPointer? {
        for index in 0..<slots {
            let line = unsafe cells + (1 + index) * ReaderEpochs.cellsPerLine
            let isOurs = unsafe line[1].compareExchange(expected: 0, desired: 1, ordering: .acquiringAndReleasing)
                .exchanged
            guard isOurs else { continue }
            unsafe line[2].store(UInt64(index), ordering: .relaxed)
            // Before the first entry, so that whoever does not see the slot is seen by its reader.
            unsafe _ = slotsUsed.pointee.max(UInt64(index + 1), ordering: .sequentiallyConsistent)
            unsafe pthread_setspecific(key, line)
            return UnsafeMutableRawPointer(line)
        }
        return nil
    }

    private static func giveBack(_ line: UnsafeMutableRawPointer?) {
        guard let line = unsafe line?.assumingMemoryBound(to: Atomic<UInt64>.self) else { return }
        unsafe line[1].store(0, ordering: .releasing)
    }

    // MARK: - Writers

    /// The epoch of memory that has just been unlinked: readers that enter from now on cannot reach it.
    public func retire() -> UInt64 {
        unsafe epoch.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue
    }

    /// The epoch at which the oldest reader inside has entered, `UInt64.max` without one. Memory whose epoch of
    /// retirement is lower is held by nobody.
    public func oldestReader() -> UInt64 {
        let used = unsafe Int(slotsUsed.pointee.load(ordering: .sequentiallyConsistent))
        var oldest = UInt64.max
        for index in 0..<used {
            let line = unsafe cells + (1 + index) * ReaderEpochs.cellsPerLine
            let entered = unsafe line[0].load(ordering: .sequentiallyConsistent)
            if entered != ReaderEpochs.idle { oldest = min(oldest, entered) }
        }
        return oldest
    }
}

/// A thread's place among the readers, while it is inside.
@safe
public struct ReaderSlot {
    // Safety: the line of this thread; nobody else writes its first cell.
    @usableFromInline let cells: UnsafeMutablePointer<Atomic<UInt64>>

    @usableFromInline
    init(cells: UnsafeMutablePointer<Atomic<UInt64>>) { unsafe self.cells = cells }

    /// The number of the slot, from 0: no other living thread has it.
    @inlinable public var index: Int { unsafe Int(truncatingIfNeeded: cells[2].load(ordering: .relaxed)) }

    /// Leaves: whatever was reachable may go.
    @inlinable
    @inline(__always)
    public func leave() { unsafe cells[0].store(ReaderEpochs.idle, ordering: .releasing) }
}
