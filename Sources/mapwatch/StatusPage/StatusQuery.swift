import AccidentIndicators
import HTTPServer
import InstrumentedMaps

/// What a request for the status asks for: one map in detail, or none.
struct StatusQuery {
    /// What is drawn of each shard at each second.
    enum Heat: String, CaseIterable {
        /// Microseconds that callers waited for the shard's lock.
        case wait
        case writes
        case deletes
        /// Entries at the sample: a level, the others are of the second before it.
        case entries
    }

    let map: MapName?
    /// Samples of it that are wanted, newest last.
    let seconds: Int
    let heat: Heat

    /// Throws a text for the asker.
    init(_ target: RequestTarget) throws(StatusQueryError) {
        func text(_ name: String) -> String? {
            target.firstQueryValue(name).map { String(decoding: $0, as: UTF8.self) }
        }
        do {
            map = try target.firstQueryValue("map").map { bytes throws(MapNameError) in try MapName(utf8: bytes) }
        } catch { throw StatusQueryError(description: "map: \(error)") }
        let wanted = text("seconds") ?? "\(MapWindow.capacity)"
        guard let seconds = Int(wanted), (1...MapWindow.capacity).contains(seconds) else {
            throw StatusQueryError(description: "seconds must be 1 to \(MapWindow.capacity), not \"\(wanted)\"")
        }
        self.seconds = seconds
        let word = text("heat") ?? Heat.wait.rawValue
        guard let heat = Heat(rawValue: word) else {
            let known = Heat.allCases.map(\.rawValue).joined(separator: ", ")
            throw StatusQueryError(description: "heat must be one of \(known), not \"\(word)\"")
        }
        self.heat = heat
    }
}

/// Why a query was refused.
struct StatusQueryError: Error, CustomStringConvertible {
    let description: String
}
