import CSystem
import Glibc

/// Memory from the heap for tables: small slabs, large records, directories, short indexes, the wheel.
///
/// One place with ``PageMemory``, so that a test can have any request of its thread refused
/// (`mapwatch_refuse_memory`). Concurrency: any thread. All of it goes back by `free`.
enum HeapMemory {
    /// A block of `bytes`; nil when there is no memory.
    static func take(_ bytes: Int) -> UnsafeMutableRawPointer? {
        mapwatch_is_memory_refused() ? nil : unsafe malloc(bytes)
    }

    /// Zeroes for `count` items of `stride` bytes; nil when there is no memory.
    static func takeZeroes(_ count: Int, stride: Int) -> UnsafeMutableRawPointer? {
        mapwatch_is_memory_refused() ? nil : unsafe calloc(count, stride)
    }

    /// The block, made `bytes` large, perhaps elsewhere; nil, and the block as it was, when there is no memory.
    static func resize(_ block: UnsafeMutableRawPointer?, to bytes: Int) -> UnsafeMutableRawPointer? {
        mapwatch_is_memory_refused() ? nil : unsafe realloc(block, bytes)
    }
}
