public import Instruments

// Which iterators are open on one map, for the gauges and for the delete path:
//
//     count    one cell that every delete reads, relaxed, in lines of its own: written only as iterators come and go
//     moved    when each of them was opened or last moved, under a lock that only iterators and scrapes take

/// The open live iterators of one map. Concurrency: any thread.
///
/// Snapshots are not among them: what is deleted meanwhile is nothing to them.
@safe
final class OpenIterators: @unchecked Sendable {
    // Safety: the cell is initialised for the life of this object; it is a counter, which any thread may use.
    /// How many are open. A pointer, so that a delete reads it without retaining this object.
    let count: UnsafeMutablePointer<OpenCount>
    private let moved = LockedState<Instants>(Instants())
    private let nanoseconds: @Sendable () -> UInt64

    private struct Instants: Sendable {
        var next: UInt64 = 0
        var byTicket: [UInt64: UInt64] = [:]
    }

    /// `nanoseconds` is a monotonic clock; it is read as an iterator opens or moves.
    init(nanoseconds: @escaping @Sendable () -> UInt64 = MonotonicClock.nanoseconds) {
        self.nanoseconds = nanoseconds
        unsafe count = .allocate(capacity: 1)
        unsafe count.initialize(to: OpenCount())
    }

    deinit {
        unsafe count.deinitialize(count: 1)
        unsafe count.deallocate()
    }

    /// Opens one, until its ticket is closed or let go.
    func open() -> OpenIterator {
        let now = nanoseconds()
        let ticket = moved.withLock { moved in
            moved.next += 1
            moved.byTicket[moved.next] = now
            return moved.next
        }
        unsafe count.pointee.cell.add()
        return OpenIterator(ticket, of: self)
    }

    /// How many are open, and how long ago the one that has rested longest was opened or last moved.
    func sample(now: UInt64) -> (open: Int, restingNanoseconds: UInt64) {
        let (open, oldest) = moved.withLock { ($0.byTicket.count, $0.byTicket.values.min()) }
        guard let oldest else { return (0, 0) }
        return (open, now > oldest ? now - oldest : 0)
    }

    fileprivate func move(_ ticket: UInt64) {
        let now = nanoseconds()
        moved.withLock { moved in
            if moved.byTicket[ticket] != nil { moved.byTicket[ticket] = now }
        }
    }

    fileprivate func close(_ ticket: UInt64) {
        let wasOpen = moved.withLock { $0.byTicket.removeValue(forKey: ticket) != nil }
        if wasOpen { unsafe count.pointee.cell.subtract() }
    }
}

/// The count of open iterators, away from what others write.
@usableFromInline
struct OpenCount: ~Copyable {
    private let gap = CacheLinePadding()
    @usableFromInline let cell = Counter()
    private let end = CacheLinePadding()

    /// Whether any iterator is open. Cost: one relaxed load.
    @inlinable var isAny: Bool { cell.value != 0 }
}

/// One open iterator; it counts as open until ``close()`` or its end.
final class OpenIterator: Sendable {
    private let ticket: UInt64
    private let iterators: OpenIterators

    fileprivate init(_ ticket: UInt64, of iterators: OpenIterators) {
        self.ticket = ticket
        self.iterators = iterators
    }

    deinit { close() }

    /// Says that the iterator has moved on.
    func move() { iterators.move(ticket) }

    /// Closes it; once is enough.
    func close() { iterators.close(ticket) }
}
