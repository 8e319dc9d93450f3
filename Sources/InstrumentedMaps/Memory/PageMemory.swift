import CSystem
import Glibc
import Synchronization

/// Memory straight from the kernel, in whole pages: zeroed when it comes, gone from the process when it goes.
///
/// The heap would clear large blocks by hand and keep freed ones; a table that grows and shrinks while somebody waits
/// can afford neither. Concurrency: any thread. Cost: one system call each.
enum PageMemory {
    static let pageBytes = 4096

    private static let mapped = Atomic<Int>(0)

    /// Bytes of all mappings now.
    static var bytesMapped: Int { mapped.load(ordering: .relaxed) }

    static func roundedToPages(_ bytes: Int) -> Int { (bytes + pageBytes - 1) / pageBytes * pageBytes }

    /// Zeroed pages for at least `bytes`; nil when the kernel refuses.
    static func map(_ bytes: Int) -> UnsafeMutableRawPointer? {
        guard !mapwatch_is_memory_refused() else { return nil }
        let size = roundedToPages(bytes)
        let mapping = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else { return nil }
        mapped.wrappingAdd(size, ordering: .relaxed)
        return unsafe mapping
    }

    /// Ends a mapping of `bytes` that ``map(_:)`` made.
    static func unmap(_ start: UnsafeMutableRawPointer, _ bytes: Int) {
        let size = roundedToPages(bytes)
        unsafe _ = munmap(start, size)
        mapped.wrappingSubtract(size, ordering: .relaxed)
    }

    /// Gives the pages of a range back and keeps its addresses: it reads as zeroes afterwards.
    static func discard(_ start: UnsafeMutableRawPointer, _ bytes: Int) {
        unsafe _ = madvise(start, bytes, MADV_DONTNEED)
    }
}
