import CSystem
import Instruments

// Where full-size slabs come from: 64 KiB pieces of 4 MiB mappings.
//
//     mapping:  [slab|slab|slab| … 64 of them]     a slab that is given back loses its pages (MADV_DONTNEED) at once
//                 └ free list of addresses ┘       but keeps its address, for whoever asks next
//
// The heap is no place for them: it gives memory back only from its end, and one live block there holds all below it.
// Pages without address space would be as bad: unmapping piecemeal splits mappings until the kernel's limit on their
// number (65,530) refuses the next. Address space is the one thing that is never given back.

/// The slabs of all tables of the process. Concurrency: any thread; one lock, taken once per 64 KiB.
final class SlabPool: Sendable {
    static let slabBytes = 64 << 10
    private static let mappingBytes = 4 << 20

    static let shared = SlabPool()

    private struct State: Sendable {
        /// Addresses of slabs that nobody has; none of them holds a page.
        var free: [UInt] = []
    }

    private let state = LockedState(State())

    private init() {}

    /// Bytes of slabs that nobody holds: addresses without pages.
    var bytesFree: Int { state.withLock { $0.free.count } * SlabPool.slabBytes }

    /// 64 KiB of zeroes, aligned to a page; nil when the kernel has none left.
    func take() -> UnsafeMutableRawPointer? {
        guard !mapwatch_is_memory_refused() else { return nil }
        let address: UInt? = state.withLock { state in
            if state.free.isEmpty { SlabPool.map(into: &state.free) }
            return state.free.popLast()
        }
        return unsafe address.flatMap { unsafe UnsafeMutableRawPointer(bitPattern: $0) }
    }

    /// Takes a slab back, and its pages from the process at once.
    func giveBack(_ slab: UnsafeMutableRawPointer) {
        // Safety: the slab came from `take`, and its table has let go of it.
        unsafe PageMemory.discard(slab, SlabPool.slabBytes)
        let address = UInt(bitPattern: slab)
        state.withLock { $0.free.append(address) }
    }

    private static func map(into free: inout [UInt]) {
        guard let mapping = unsafe PageMemory.map(mappingBytes) else { return }
        let start = UInt(bitPattern: mapping)
        // The lowest address is handed out first.
        for index in (0..<(mappingBytes / slabBytes)).reversed() { free.append(start + UInt(index * slabBytes)) }
    }
}
