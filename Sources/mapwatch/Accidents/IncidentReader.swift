import DataDocuments
import Incidents

/// Reads incidents for a person: from a daemon or from a directory.
enum IncidentReader {
    case directory(BundleStore)
    /// Up to its port, as in `http://127.0.0.1:10197`.
    case daemon(String)

    /// Newest first.
    func list() throws -> [IncidentSummary] {
        switch self {
        case .directory(let store):
            let listing = try store.list(parse: IncidentRow.parse)
            for remark in listing.remarks { System.writeToStandardError(Array("\(remark)\n".utf8)) }
            return listing.summaries
        case .daemon(let url):
            guard case .object(let members) = try JSONValue.parse(get(url, "/api/v1/incidents")),
                case .array(let rows) = members["incidents"]
            else { throw CommandProblem(description: "\(url) did not answer with incidents; is it a mapwatch?") }
            return try rows.map(IncidentRow.parse)
        }
    }

    /// One file of the incident of this name, or of the newest by the word `last`.
    func read(_ name: String, _ file: BundleFile) throws -> [UInt8] {
        switch self {
        case .daemon(let url): return try get(url, "/api/v1/incidents/\(name)/\(file.rawValue)")
        case .directory(let store):
            guard let id = try name == "last" ? list().first?.id : IncidentID(name) else {
                throw CommandProblem(description: "there is no incident in \(store.path)")
            }
            guard store.holds(id) else {
                throw CommandProblem(
                    description: "there is no incident \(id) in \(store.path); mapwatch incidents list names all")
            }
            return try store.read(id, file)
        }
    }

    private func get(_ url: String, _ path: String) throws -> [UInt8] {
        let answer = try PlainHTTP.get(url, path)
        guard answer.status == 200 else {
            // A problem says in its detail what is wrong.
            var reason = "it answered \(answer.status)"
            if case .object(let members)? = try? JSONValue.parse(answer.body), case .text(let text) = members["detail"]
            {
                reason = text
            }
            throw CommandProblem(description: "\(url)\(path): \(TerminalText.line(reason))")
        }
        return answer.body
    }
}

/// What went wrong in a command: one line for whoever has given it.
struct CommandProblem: Error, CustomStringConvertible {
    let description: String
}
