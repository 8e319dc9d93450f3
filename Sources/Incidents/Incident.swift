import FlightRecorder
public import InstrumentedMaps

/// Why an incident was recorded; the raw value is the label `kind`.
public enum IncidentKind: String, Sendable, CaseIterable {
    /// Two operations met that an unguarded map would not have survived.
    case conflict
    /// Delete share and size mutation went past their lines together.
    case signature
    /// The run before this one did not end in order.
    case previousRun = "previous_run"
    /// Somebody asked for it.
    case manual
}

/// The name of an incident and of its directory: `20260301T120000123Z-0001`, so that text order is the order of time.
public struct IncidentID: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let text: String

    /// The instant to the millisecond in UTC, and a number that tells apart those of one millisecond.
    init(millisecondsSince1970: UInt64, number: Int) {
        let time = CalendarTime.text(millisecondsSince1970 * 1_000_000).filter { !"-:.".contains($0) }
        let last = String(number % 10_000)
        text = "\(time)-" + String(repeating: "0", count: 4 - last.count) + last
    }

    /// Nil when `text` is none: what may be part of a path is checked here, and only here.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 24 else { return nil }
        for (index, byte) in bytes.enumerated() {
            switch index {
            case 8: guard byte == UInt8(ascii: "T") else { return nil }
            case 18: guard byte == UInt8(ascii: "Z") else { return nil }
            case 19: guard byte == UInt8(ascii: "-") else { return nil }
            default: guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            }
        }
        self.text = text
    }

    public var description: String { text }

    public static func < (left: IncidentID, right: IncidentID) -> Bool { left.text < right.text }
}

/// What is known of an incident without opening its bundle: a row of the list.
public struct IncidentSummary: Sendable, Equatable {
    public let id: IncidentID
    public let kind: IncidentKind
    /// Nil for a previous run, which is about all maps that it had.
    public let map: MapName?
    /// The instant of the incident itself, in seconds since 1970.
    public let seconds: Double
    /// What was asked to be remembered; "" without a note.
    public let note: String
    /// The first of its map within an hour of the clock: it outlives the others.
    public let isFirstOfHour: Bool

    public init(
        id: IncidentID, kind: IncidentKind, map: MapName?, seconds: Double, note: String, isFirstOfHour: Bool
    ) {
        self.id = id
        self.kind = kind
        self.map = map
        // What stands on a disk may be anything; past the year 2286 no instant can be told.
        self.seconds = seconds.isFinite ? min(max(seconds, 0), 9_999_999_999) : 0
        self.note = note
        self.isFirstOfHour = isFirstOfHour
    }

    /// `2026-03-01T12:00:00.123Z`.
    public var time: String { CalendarTime.text(UInt64((seconds * 1000).rounded()) * 1_000_000) }
}
