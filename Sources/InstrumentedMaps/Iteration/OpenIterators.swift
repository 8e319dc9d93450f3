public import Instruments
import Synchronization

// Which iterators are open on one map, for the gauges and for the delete path:
//
//     count    one cell that every delete reads, relaxed, in lines of its own: written only as iterators come and go
//     open     when each of them was opened and last moved, under a lock that only iterators and scrapes take, and a
//              delete that stops them
//
// The lock is a leaf: whoever holds it takes no other, so a delete may take it inside its shard.

/// The open live iterators of one map. Concurrency: any thread.
///
/// Snapshots are not among them: what is deleted meanwhile is nothing to them.
@safe
final class OpenIterators: @unchecked Sendable {
    // Safety: the cell is initialised for the life of this object; it is a counter, which any thread may use.
    /// How many are open. A pointer, so that a delete reads it without retaining this object.
    let count: UnsafeMutablePointer<OpenCount>
    private let state = LockedState<State>(State())
    private let nanoseconds: @Sendable () -> UInt64
    /// What a delete does about them.
    let deletionGuard: DeletionGuard

    private struct State: Sendable {
        var next: UInt64 = 0
        var byTicket: [UInt64: Entry] = [:]
        var aborted = AbortedIterators()
    }

    private struct Entry: Sendable {
        let opened: UInt64
        var moved: UInt64
        let iterator: IteratorState
    }

    /// `nanoseconds` is a monotonic clock; it is read as an iterator opens or moves.
    init(
        _ deletionGuard: DeletionGuard = .allow,
        nanoseconds: @escaping @Sendable () -> UInt64 = MonotonicClock.nanoseconds
    ) {
        self.deletionGuard = deletionGuard
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
        let iterator = IteratorState()
        let ticket = state.withLock { state in
            state.next += 1
            state.byTicket[state.next] = Entry(opened: now, moved: now, iterator: iterator)
            unsafe count.pointee.cell.add()
            return state.next
        }
        return OpenIterator(ticket, iterator, of: self)
    }

    /// Ends all that are open: what each of them does next, it does not.
    func stopAll(_ stop: IterationStop) {
        state.withLock { state in
            for entry in state.byTicket.values { entry.iterator.stop(stop) }
            state.aborted[stop] += UInt64(state.byTicket.count)
            unsafe count.pointee.cell.subtract(UInt64(state.byTicket.count))
            state.byTicket.removeAll()
        }
    }

    /// How many are open, and how long ago the one that has rested longest was opened or last moved.
    func sample(now: UInt64) -> (open: Int, restingNanoseconds: UInt64) {
        guard unsafe count.pointee.isAny else { return (0, 0) }
        let (open, oldest) = state.withLock { ($0.byTicket.count, $0.byTicket.values.map(\.moved).min()) }
        guard let oldest else { return (0, 0) }
        return (open, now > oldest ? now - oldest : 0)
    }

    /// Those that ended before their last entry.
    var aborted: AbortedIterators { state.withLock { $0.aborted } }

    /// Those that are open, the oldest first.
    func states(now: UInt64) -> [OpenIteratorState] {
        state.withLock { $0.byTicket }.sorted { $0.key < $1.key }.map { number, entry in
            OpenIteratorState(
                number: number, openNanoseconds: now > entry.opened ? now - entry.opened : 0,
                restingNanoseconds: now > entry.moved ? now - entry.moved : 0)
        }
    }

    fileprivate func move(_ ticket: UInt64) {
        let now = nanoseconds()
        state.withLock { $0.byTicket[ticket]?.moved = now }
    }

    fileprivate func close(_ ticket: UInt64, _ stop: IterationStop?) {
        state.withLock { state in
            guard let entry = state.byTicket.removeValue(forKey: ticket) else { return }
            unsafe count.pointee.cell.subtract()
            if let stop {
                entry.iterator.stop(stop)
                state.aborted[stop] += 1
            }
        }
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

/// Whether an iterator may go on; shared by the iterator and whoever stops it.
private final class IteratorState: Sendable {
    private let code = Atomic<UInt8>(0)

    func stop(_ stop: IterationStop) { code.store(stop.rawValue, ordering: .releasing) }

    var stopped: IterationStop? { IterationStop(rawValue: code.load(ordering: .acquiring)) }
}

/// One open iterator; it counts as open until ``close(_:)``, its end, or until somebody stops it.
final class OpenIterator: Sendable {
    private let ticket: UInt64
    private let state: IteratorState
    private let iterators: OpenIterators

    fileprivate init(_ ticket: UInt64, _ state: IteratorState, of iterators: OpenIterators) {
        self.ticket = ticket
        self.state = state
        self.iterators = iterators
    }

    deinit { close() }

    /// Why it may not go on; nil while it may. Cost: one load.
    var stop: IterationStop? { state.stopped }

    /// Says that the iterator has moved on.
    func move() { iterators.move(ticket) }

    /// Closes it, before its end for the reason `stop`; once is enough.
    func close(_ stop: IterationStop? = nil) { iterators.close(ticket, stop) }
}
