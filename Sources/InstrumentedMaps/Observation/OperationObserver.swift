public import Instruments

// How a recorder hears of operations without the engine knowing it:
//
//     operation ─▶ [guard: insideCriticalSection ─▶ record into the observer's rings] ─▶ [lock open again: didOperate]
//                     └─ strategy `checked` met somebody: didConflict
//
// An operation is written into rings or told of, never both. Rings cost far less: whoever is inside has the shard's ring to
// himself, and what the record needs is worked out while the table's memory is waited for (see `OperationRecord`).
//
// A map has one observer or none, for its life. Without one an operation pays nothing: the word that says so is the one
// that every operation tests anyhow (see `OperationGate`).

/// Hears of every operation on the maps that it is given to. Called on the threads that do the operations, by many at once.
public protocol OperationObserver: AnyObject, Sendable {
    /// What it has to be told of; asked for once, when the map is made. By default everything.
    var interest: ObserverInterest { get }

    /// Rings that the map writes its operations into by itself, each inside its shard, instead of calling
    /// ``didOperate(_:)``; asked for once, when the map is made, and valid as long as the observer. nil, by default, for
    /// none. Not for maps that look for conflicts, which tell of each operation.
    var rings: RingWriter? { get }

    /// A caller does its first operation of which the rings shall keep the name; perhaps several times.
    func didMeet(_ caller: Caller)

    /// An operation has ended, and its shard is open again. Not called where there are ``rings``.
    func didOperate(_ event: OperationEvent)

    /// Two operations met that a map without a guard would not have survived; on the thread of the one that came second,
    /// before it is refused or waits.
    func didConflict(_ conflict: MapConflict)

    /// An operation is inside the shard, which is closed to others: whoever waits here makes them wait too. Not called for
    /// reads that take no lock.
    func insideCriticalSection(_ shard: Int, _ operation: ObservedOperation)
}

/// What an observer has to be told of beside writes, walks and conflicts. Each costs something for each operation.
public struct ObserverInterest: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Loads. Without it they are as fast as on a map that nobody watches.
    public static let reads = ObserverInterest(rawValue: 1)
    /// Exact instants and durations, two readings of the clock an operation. Without it an operation is dated by the
    /// kernel's coarse clock, and has a duration if it is one of those (1 in 64) that are timed anyway, else 0.
    public static let times = ObserverInterest(rawValue: 2)

    /// `insideCriticalSection`.
    public static let criticalSections = ObserverInterest(rawValue: 4)

    public static let everything: ObserverInterest = [.reads, .times, .criticalSections]
}

extension OperationObserver {
    public var interest: ObserverInterest { .everything }

    public var rings: RingWriter? { nil }

    public func didMeet(_ caller: Caller) {}

    public func didOperate(_ event: OperationEvent) {}

    public func didConflict(_ conflict: MapConflict) {}

    public func insideCriticalSection(_ shard: Int, _ operation: ObservedOperation) {}
}

/// What an operation does, as far as an observer is told; the numbers stand in records on disk.
public enum ObservedOperation: UInt8, Sendable, CaseIterable {
    /// A store; before it is known which kind, also one that will insert.
    case update = 1
    case delete = 2
    case load = 3
    /// A store that added its key.
    case insert = 4
    /// A shard's keys or entries are walked, or one of them is looked up for an iterator.
    case iterate = 5
    /// Expired entries are taken out by maintenance, up to 64 at a time; without a key.
    case sweep = 6
    /// A look and a change in one step, before it is known which, or when nothing was changed.
    case modify = 7

    public var name: String {
        switch self {
        case .update: "update"
        case .delete: "delete"
        case .load: "load"
        case .insert: "insert"
        case .iterate: "iterate"
        case .sweep: "sweep"
        case .modify: "modify"
        }
    }

    /// What it does to its shard's table.
    var access: LockAccess {
        switch self {
        case .update, .insert, .delete, .sweep, .modify: .write
        case .load: .read
        case .iterate: .iterate
        }
    }
}

/// How an operation ended.
public enum OperationOutcome: UInt8, Sendable, CaseIterable {
    /// It did what its name says.
    case hit = 0
    /// Its key was absent.
    case miss = 1
    /// There was no memory for it.
    case refused = 2
    /// It met another operation and was not done.
    case conflict = 3
}

/// One operation that has ended.
public struct OperationEvent: Sendable, Equatable {
    /// As it turned out: an insert or an update of a store.
    public let operation: ObservedOperation
    public let shard: Int
    /// ``FNV1a64`` of the key's bytes, 0 without a key; of a typed map's key that is no `String` the engine's own hash,
    /// which differs from process to process.
    public let keyHash: UInt64
    public let caller: Caller
    /// The kernel's number of the thread.
    public let thread: UInt32
    /// Nanoseconds of `MonotonicClock`.
    public let started: UInt64
    /// Nanoseconds, waits included.
    public let duration: UInt64
    public let outcome: OperationOutcome

    public init(
        operation: ObservedOperation, shard: Int, keyHash: UInt64, caller: Caller, thread: UInt32, started: UInt64,
        duration: UInt64, outcome: OperationOutcome
    ) {
        self.operation = operation
        self.shard = shard
        self.keyHash = keyHash
        self.caller = caller
        self.thread = thread
        self.started = started
        self.duration = duration
        self.outcome = outcome
    }
}
