import Synchronization

/// The bytes of request bodies that all connections of a server may hold at one time.
///
/// Lock-free; a reservation is one atomic add, taken back when it was one too many. Relaxed suffices: the number
/// guards no other memory.
final class BodyBudget: Sendable {
    let limit: Int
    private let used = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// Takes `count` bytes, all or none.
    func reserve(_ count: Int) -> Bool {
        let (now, overflow) = used.load(ordering: .relaxed).addingReportingOverflow(count)
        guard !overflow, now <= limit else { return false }
        if used.add(count, ordering: .relaxed).newValue > limit {
            used.subtract(count, ordering: .relaxed)
            return false
        }
        return true
    }

    func release(_ count: Int) {
        used.subtract(count, ordering: .relaxed)
    }

    var reserved: Int { used.load(ordering: .relaxed) }
}
