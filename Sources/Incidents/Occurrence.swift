import FlightRecorder
public import InstrumentedMaps

/// What has happened, as it is told to the reporter.
public enum Occurrence: Sendable {
    /// Two operations met.
    case conflict(MapConflict)
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
    var conflict: MapConflict?
    var evidence: MapEvidence?
    var previousRun: PreviousRun?
    /// The map's last operations, newest last; nil when no recorder runs.
    var operations: [RecordedOperation]?
    /// The release that writes the bundle.
    let version: String
}
