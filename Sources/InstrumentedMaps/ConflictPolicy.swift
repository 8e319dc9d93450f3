/// What a map of strategy `checked` does when two operations meet.
public enum ConflictPolicy: String, Sendable, CaseIterable {
    /// The one that came second is refused, where it can say so (``InstrumentedMap/refusingConflicts(_:)``, the data API);
    /// where it cannot it is counted and waits.
    case reject
    /// The one that came second is counted and waits.
    case count
    /// The process ends by SIGABRT, as Go's would, after a text on stderr that names both.
    case trap
}
