import DataDocuments
import Incidents
import InstrumentedMaps

/// A row of the list of incidents, to and from JSON. The names are those of `incident.json`, so that one reader reads both.
enum IncidentRow {
    static func render(_ listed: IncidentArchive.Listed) -> [UInt8] {
        let summary = listed.summary
        var line = JSONLine()
        line.add("id", summary.id.text)
        line.add("kind", summary.kind.rawValue)
        if let map = summary.map { line.add("map", map.text) } else { line.addNull("map") }
        line.add("time", summary.time)
        line.add("timestamp_seconds", summary.seconds)
        line.add("note", summary.note)
        line.add("first_of_hour", json: Array("\(summary.isFirstOfHour)".utf8))
        line.add("stored", json: Array("\(listed.isStored)".utf8))
        return line.object()
    }

    /// From an `incident.json` or a row of the list, which may be anybody's.
    static func parse(_ bytes: [UInt8]) throws -> IncidentSummary { try parse(JSONValue.parse(bytes)) }

    static func parse(_ value: JSONValue) throws -> IncidentSummary {
        guard case .object(let members) = value else {
            throw JSONProblem("it is no object but \(value.description)")
        }
        guard let id = IncidentID(try text("id", members)) else {
            throw JSONProblem("\"id\" is no incident's: \(JSONValue.text(try text("id", members)).description)")
        }
        guard let kind = IncidentKind(rawValue: try text("kind", members)) else {
            throw JSONProblem("\"kind\" is unknown: \(JSONValue.text(try text("kind", members)).description)")
        }
        let map: MapName? =
            if members["map"] == .null { nil } else { try MapName(try text("map", members)) }
        let seconds: Double =
            switch members["timestamp_seconds"] {
            case .integer(let number): Double(number)
            case .real(let number): number
            default: throw JSONProblem("\"timestamp_seconds\" is no number")
            }
        return IncidentSummary(
            id: id, kind: kind, map: map, seconds: seconds,
            note: String(try text("note", members).unicodeScalars.prefix(IncidentsEndpoint.maximumNoteBytes)),
            isFirstOfHour: members["first_of_hour"] == .bool(true))
    }

    private static func text(_ name: String, _ members: [String: JSONValue]) throws -> String {
        guard case .text(let text) = members[name] else { throw JSONProblem("\"\(name)\" is no text") }
        return text
    }
}
