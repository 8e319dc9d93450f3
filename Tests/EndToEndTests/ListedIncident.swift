import Foundation
import TestSupport

/// A row of `/api/v1/incidents`.
struct ListedIncident: Decodable, Equatable {
    let id: String
    let kind: String
    let map: String?
    let note: String
    let stored: Bool

    private struct List: Decodable {
        let incidents: [ListedIncident]
    }

    /// All that the daemon lists, in its order.
    static func all(of daemon: MapwatchProcess) throws -> [ListedIncident] {
        try JSONDecoder().decode(List.self, from: Data(daemon.web("GET", "/api/v1/incidents").body)).incidents
    }
}
