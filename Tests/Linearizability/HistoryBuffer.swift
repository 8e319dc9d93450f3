import Synchronization

/// The one clock of a history: a counter that every invocation and every response advances.
///
/// A clock of the machine would do, but two of its readings can be equal, and it takes trust that all cores read the
/// same one. The counter is a total order by construction, so a violation is never the clock's. Its price: it is a full
/// barrier on either side of each call, so a reply that is stale only while it sits in a core's store buffer is hidden.
public final class HistoryClock: Sendable {
    private let ticks = Atomic<UInt64>(0)

    public init() {}

    /// A number above every other that anybody was handed before.
    public func tick() -> UInt64 { ticks.add(1, ordering: .sequentiallyConsistent).newValue }
}

/// What one thread did, in the order in which it did it.
///
/// Owned by its thread and preallocated: to record is two ticks and a write, with no lock and no allocation.
public struct HistoryBuffer: Sendable {
    public private(set) var operations: [Operation] = []
    private let clock: HistoryClock
    private let thread: UInt8
    private let capacity: Int

    public init(thread: UInt8, capacity: Int, clock: HistoryClock) {
        self.thread = thread
        self.capacity = capacity
        self.clock = clock
        operations.reserveCapacity(capacity)
    }

    /// How many operations may still be recorded.
    public var room: Int { capacity - operations.count }

    /// The tick to take right before a call.
    public func tick() -> UInt64 { clock.tick() }

    /// Notes a reply that came just now to a call that was made right after the tick `invoked`.
    public mutating func note(
        _ call: Operation.Call, key: UInt16, found: Bool, value: UInt64 = Operation.absent,
        seen: UInt64 = Operation.absent, since invoked: UInt64
    ) {
        note(call, key: key, found: found, value: value, seen: seen, from: invoked, to: clock.tick())
    }

    /// Notes one of several replies that came together at the tick `responded`: an iteration answers for many keys.
    public mutating func note(
        _ call: Operation.Call, key: UInt16, found: Bool, value: UInt64 = Operation.absent,
        seen: UInt64 = Operation.absent, from invoked: UInt64, to responded: UInt64
    ) {
        precondition(room > 0, "the history of thread \(thread) is full")
        operations.append(
            Operation(
                call, key: key, thread: thread, found: found, value: value, seen: seen, invoked: invoked,
                responded: responded))
    }
}
