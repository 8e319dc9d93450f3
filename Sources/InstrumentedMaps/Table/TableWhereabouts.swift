import CSystem
import Synchronization

/// Where a shard's index and slabs are, beside the shard's lock: so a load looks at no line of the table itself.
///
/// Concurrency: noted under the shard's guard, and inside of it true since; whoever takes no guard may ask for memory by
/// it, and read nothing there: two of the words may be of two moments, and the memory may be gone.
@safe
@usableFromInline
struct TableWhereabouts: ~Copyable {
    /// The index's words; 0 where there is no table that says so, and while the index moves.
    private let words = Atomic<UInt>(0)
    private let capacity = Atomic<Int>(0)
    /// The addresses of the slabs.
    private let slabAddresses = Atomic<UInt>(0)

    init() {}

    /// Under the exclusive guard.
    func note(words: UnsafeMutablePointer<UInt64>?, capacity: Int, slabAddresses: UnsafeMutableRawPointer?) {
        self.words.store(UInt(bitPattern: words), ordering: .relaxed)
        self.capacity.store(capacity, ordering: .relaxed)
        self.slabAddresses.store(UInt(bitPattern: slabAddresses), ordering: .relaxed)
    }

    /// Where a search for `place` begins, if that is known. Inside the guard.
    @inline(__always)
    func start(of place: UInt32) -> UnsafeMutablePointer<UInt64>? {
        let words = unsafe UnsafeMutablePointer<UInt64>(bitPattern: words.load(ordering: .relaxed))
        guard let words = unsafe words else { return nil }
        return unsafe words + IndexArray.home(place, capacity: capacity.load(ordering: .relaxed))
    }

    /// The record at `ref`, which must be live. Inside the guard, where ``start(of:)`` is known.
    @inline(__always)
    func record(at ref: RecordRef) -> Record {
        // Safety: there is no reference before there is a slab, and its address, and then they were noted.
        let addresses = unsafe UnsafeRawPointer(bitPattern: slabAddresses.load(ordering: .relaxed)).unsafelyUnwrapped
        return unsafe RecordStore.record(at: ref, addresses)
    }

    /// Asks for the words that a search for `place` will probably begin with.
    @inline(__always)
    func fetch(_ place: UInt32) {
        let home = IndexArray.home(place, capacity: capacity.load(ordering: .relaxed))
        // Safety: an address that is only asked for need not be one.
        let address = words.load(ordering: .relaxed) &+ UInt(bitPattern: home) &* 8
        unsafe mapwatch_prefetch(UnsafeRawPointer(bitPattern: address))
    }
}
