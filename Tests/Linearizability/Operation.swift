/// One completed operation on one key: what was asked, what was answered, and when.
///
/// A value is an id, and each store has its own, so that a reply names the store that it saw. 0 stands for absence.
public struct Operation: Sendable, Equatable {
    public enum Call: UInt8, Sendable {
        case load
        case store
        case delete
        case insertIfAbsent
        /// Puts a value in the place of another, and says which: a read and a write in one step. The value may be
        /// ``Operation/absent``: then the entry goes.
        case exchange
    }

    /// The state of a key that is not there.
    public static let absent: UInt64 = 0

    public let call: Call
    /// The number of the key; histories of different keys are checked apart.
    public let key: UInt16
    public let thread: UInt8
    /// Whether the reply says that the key was there: a load's hit, a store's update, a delete's hit, an
    /// ``Call/insertIfAbsent`` that left the key alone.
    public let found: Bool
    /// What was to be stored, or what a load returned.
    public let value: UInt64
    /// What an ``Call/exchange`` found.
    public let seen: UInt64
    /// The tick before the call.
    public let invoked: UInt64
    /// The tick after the reply.
    public let responded: UInt64

    public init(
        _ call: Call, key: UInt16 = 0, thread: UInt8 = 0, found: Bool, value: UInt64 = Operation.absent,
        seen: UInt64 = Operation.absent, invoked: UInt64, responded: UInt64
    ) {
        precondition(invoked <= responded, "an operation ends before it begins")
        self.call = call
        self.key = key
        self.thread = thread
        self.found = found
        self.value = value
        self.seen = seen
        self.invoked = invoked
        self.responded = responded
    }

    /// The state that follows `state` when this operation takes effect there at once; nil when its reply would have
    /// been another one. This is the whole sequential specification: a register that may be absent.
    @inline(__always)
    func apply(to state: UInt64) -> UInt64? {
        guard found == (state != Operation.absent) else { return nil }
        switch call {
        case .load: return !found || value == state ? state : nil
        case .store: return value
        case .delete: return Operation.absent
        case .insertIfAbsent: return found ? state : value
        case .exchange: return seen == state ? value : nil
        }
    }
}

extension Operation: CustomStringConvertible {
    public var description: String {
        let what =
            switch call {
            case .load: found ? "load → \(value)" : "load → absent"
            case .store: "store \(value) → \(found ? "updated" : "inserted")"
            case .delete: "delete → \(found ? "deleted" : "absent")"
            case .exchange: "exchange → \(found ? "\(seen)" : "absent"), now \(value == 0 ? "absent" : "\(value)")"
            case .insertIfAbsent: "insertIfAbsent \(value) → \(found ? "present" : "inserted")"
            }
        return "[\(invoked)–\(responded)] thread \(thread): \(what)"
    }
}
