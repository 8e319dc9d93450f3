import Synchronization

/// A bound on the bytes that tables may hold: one for each map, and one for the process above them.
///
/// Tables ask when they take memory (a slab, a longer index), so about once per 64 KiB and never on the way of an
/// operation that needs none. Two that ask at the bound at once may both be refused though one would fit.
///
/// Concurrency: any thread, no lock. Cost: one or two atomic adds.
@usableFromInline
package final class MemoryBudget: Sendable {
    package let limit: Int
    private let parent: MemoryBudget?
    private let used = Atomic<Int>(0)

    /// `limit` in bytes; what is taken is taken of `parent` too.
    package init(limit: Int, within parent: MemoryBudget? = nil) {
        self.limit = limit
        self.parent = parent
    }

    /// No bound.
    package convenience init() { self.init(limit: .max) }

    /// Bytes that are taken now.
    package var bytesUsed: Int { used.load(ordering: .relaxed) }

    /// Takes `bytes`, or nothing when they are over this bound or the one above.
    func take(_ bytes: Int) -> Bool {
        let after = used.wrappingAdd(bytes, ordering: .relaxed).newValue
        if after <= limit, parent?.take(bytes) ?? true { return true }
        used.wrappingSubtract(bytes, ordering: .relaxed)
        return false
    }

    /// Takes what cannot be done without, over the bound if need be.
    func force(_ bytes: Int) {
        used.wrappingAdd(bytes, ordering: .relaxed)
        parent?.force(bytes)
    }

    func giveBack(_ bytes: Int) {
        used.wrappingSubtract(bytes, ordering: .relaxed)
        parent?.giveBack(bytes)
    }
}
