import Glibc

/// A block of memory that a table has taken: an array of its index, a slab, a directory. Knows where to go back to.
///
/// A plain value that owns nothing. Whoever frees it has taken care that nobody uses it any more.
@safe
struct MemoryBlock {
    enum Source {
        case heap
        case pages
        case slabPool
    }

    // Safety: valid until `free`, which is called once.
    let start: UnsafeMutableRawPointer
    /// What the budget was asked for.
    let bytes: Int
    let source: Source

    func free() {
        switch source {
        case .heap: unsafe Glibc.free(start)
        case .pages: unsafe PageMemory.unmap(start, bytes)
        case .slabPool: unsafe SlabPool.shared.giveBack(start)
        }
    }
}
