/// What the recorder kept of a run that did not end in order.
public struct PreviousRun: Sendable, Equatable {
    /// When the run began, in nanoseconds since 1970.
    public let startedAt: UInt64
    /// When its last recorded operation was; 0 when none was recorded.
    public let lastOperationAt: UInt64
    /// By the map's name, in the order in which they happened as far as the clock tells, each shard's by their numbers.
    /// A map without operations is there, empty.
    public let operations: [String: [RecordedOperation]]

    public init(startedAt: UInt64, lastOperationAt: UInt64, operations: [String: [RecordedOperation]]) {
        self.startedAt = startedAt
        self.lastOperationAt = lastOperationAt
        self.operations = operations
    }
}
