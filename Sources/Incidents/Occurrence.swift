import FlightRecorder
import InstrumentedMaps

/// Two operations that met.
public struct IncidentConflict: Sendable, Equatable {
    /// One of the two.
    public struct Party: Sendable, Equatable {
        /// As it named itself, or its thread.
        public let caller: String
        public let thread: UInt32
        public let operation: String
        /// Go's FNV-1a-64 of the key.
        public let keyHash: UInt64
        /// When it began, in monotonic time.
        public let sinceNanoseconds: UInt64

        public init(caller: String, thread: UInt32, operation: String, keyHash: UInt64, sinceNanoseconds: UInt64) {
            self.caller = caller
            self.thread = thread
            self.operation = operation
            self.keyHash = keyHash
            self.sinceNanoseconds = sinceNanoseconds
        }
    }

    /// The kind as `map_concurrent_access_total` has it, such as `read_write`.
    public let kind: String
    public let shard: Int
    /// The one that came.
    public let found: Party
    /// The one that was there.
    public let holder: Party

    public init(kind: String, shard: Int, found: Party, holder: Party) {
        self.kind = kind
        self.shard = shard
        self.found = found
        self.holder = holder
    }
}

/// What has happened, as it is told to the reporter.
public enum Occurrence: Sendable {
    case conflict(IncidentConflict)
    /// Both indicators of the signature went past their lines.
    case signature
    /// Somebody asked; the note is remembered.
    case manual(note: String)

    var kind: IncidentKind {
        switch self {
        case .conflict: .conflict
        case .signature: .signature
        case .manual: .manual
        }
    }
}

/// An incident with what is known of it: what a bundle is made of.
struct Incident: Sendable {
    let summary: IncidentSummary
    /// When it happened, by both clocks.
    let moment: Moment
    var conflict: IncidentConflict?
    var evidence: MapEvidence?
    var previousRun: PreviousRun?
    /// The map's last operations, newest last; nil when no recorder runs.
    var operations: [RecordedOperation]?
    /// The release that writes the bundle.
    let version: String
}
