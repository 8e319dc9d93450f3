/// One operation as the recorder kept it.
public struct RecordedOperation: Sendable, Equatable {
    /// Wall clock, within 10 ms: it comes from the kernel's coarse clock.
    public let timeNanosecondsSince1970: UInt64
    /// Who asked, as they named themselves; the thread's number as text when nobody did.
    public let caller: String
    /// The kernel's number of the thread.
    public let thread: UInt32
    public let map: String
    public let shard: Int
    /// Counts the recorded operations of this shard from 1: a gap is a record that was lost or only half written.
    public let number: UInt64
    public let operation: OperationCode
    /// Go's FNV-1a-64 of the key; 0 where there is no one key (an iteration, a sweep).
    public let keyHash: UInt64
    /// 0 when the operation was not among those that are timed.
    public let durationNanoseconds: UInt64
    public let outcome: RecordedOutcome

    public init(
        timeNanosecondsSince1970: UInt64, caller: String, thread: UInt32, map: String, shard: Int, number: UInt64,
        operation: OperationCode, keyHash: UInt64, durationNanoseconds: UInt64, outcome: RecordedOutcome
    ) {
        self.timeNanosecondsSince1970 = timeNanosecondsSince1970
        self.caller = caller
        self.thread = thread
        self.map = map
        self.shard = shard
        self.number = number
        self.operation = operation
        self.keyHash = keyHash
        self.durationNanoseconds = durationNanoseconds
        self.outcome = outcome
    }
}

/// What an operation was: the articles' codes, 1 and 2, and ours after them. A code that a later release may have written
/// stays readable as its number.
public struct OperationCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Any store; the articles' `UPDATE`.
    public static let update = OperationCode(rawValue: 1)
    /// The articles' `DELETE`.
    public static let delete = OperationCode(rawValue: 2)
    public static let load = OperationCode(rawValue: 3)
    /// A store that made the entry.
    public static let insert = OperationCode(rawValue: 4)
    public static let iterate = OperationCode(rawValue: 5)
    /// Expired entries that maintenance takes out.
    public static let sweep = OperationCode(rawValue: 6)
    /// A look and a change in one step that changed nothing.
    public static let modify = OperationCode(rawValue: 7)

    /// The word of the code, `operation-N` for one that this release does not know.
    public var description: String {
        switch self {
        case .update: "update"
        case .delete: "delete"
        case .load: "load"
        case .insert: "insert"
        case .iterate: "iterate"
        case .sweep: "sweep"
        case .modify: "modify"
        default: "operation-\(rawValue)"
        }
    }
}

/// What an operation came to.
public enum RecordedOutcome: UInt8, Sendable, CaseIterable, CustomStringConvertible {
    case hit = 0
    /// The key was not there.
    case miss = 1
    /// No memory, or a guard.
    case refused = 2
    /// Another operation was in the way.
    case conflict = 3

    public var description: String {
        switch self {
        case .hit: "hit"
        case .miss: "miss"
        case .refused: "refused"
        case .conflict: "conflict"
        }
    }
}
