public import Instruments

/// What a timed operation did.
public enum TimedOperation: String, Sendable, CaseIterable {
    /// A look that changed nothing.
    case load
    /// An insert or an update, or one that was refused.
    case store
    /// A delete, whether or not the key was there.
    case delete

    /// As what an observer hears of it before it is known what it came to.
    @usableFromInline var observed: ObservedOperation {
        switch self {
        case .load: .load
        case .store: .update
        case .delete: .delete
        }
    }
}

/// How long a map's operations took: one in 64, from before the lock to after it.
public struct OperationTimings: Sendable, Equatable {
    public let loads: LatencySample
    public let stores: LatencySample
    public let deletes: LatencySample

    /// Nothing timed yet, unless one says what was.
    public init(
        loads: LatencySample = LatencySample(.operations), stores: LatencySample = LatencySample(.operations),
        deletes: LatencySample = LatencySample(.operations)
    ) {
        self.loads = loads
        self.stores = stores
        self.deletes = deletes
    }

    public subscript(operation: TimedOperation) -> LatencySample {
        switch operation {
        case .load: loads
        case .store: stores
        case .delete: deletes
        }
    }
}
