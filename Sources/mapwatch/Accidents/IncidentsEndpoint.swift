import DataDocuments
import HTTPServer
import Incidents
import InstrumentedMaps

/// Incidents over HTTP: the list, one, its files, and on the data listener a new one.
struct IncidentsEndpoint: Sendable {
    static let maximumNoteBytes = 1024

    let archive: IncidentArchive
    let reporter: IncidentReporter

    func readingRoutes() -> [Route] {
        [
            Route(.get, "/api/v1/incidents", name: "incidents") { _, _ in list() },
            Route(.get, "/api/v1/incidents/{incident}", name: "incident") { _, parameters in
                DataAPI.answer { () throws(APIProblem) in try answer(parameters, .document) }
            },
            Route(.get, "/api/v1/incidents/{incident}/{file}", name: "incident") { _, parameters in
                DataAPI.answer { () throws(APIProblem) in
                    let name = String(decoding: parameters["file"] ?? [], as: UTF8.self)
                    guard let file = BundleFile(rawValue: name) else {
                        let known = BundleFile.allCases.map(\.rawValue).joined(separator: ", ")
                        throw .notFound("an incident has no file \"\(name)\"; known are \(known)")
                    }
                    return try answer(parameters, file)
                }
            },
        ]
    }

    func dataRoutes(_ host: MapHost) -> [Route] {
        readingRoutes() + [
            Route(.post, "/api/v1/incidents", name: "incidents", bodyLimit: 8192) { request, _ in
                DataAPI.answer { () throws(APIProblem) in try record(request.body, on: host) }
            }
        ]
    }

    private func list() -> HTTPResponse {
        let listed = archive.listed
        var body = Array("{\"incidents\":[".utf8)
        for (index, row) in listed.enumerated() {
            body += (index == 0 ? "\n " : ",\n ").utf8
            body += IncidentRow.render(row)
        }
        body += "],\n \"stored_bytes\":\(archive.storedBytes)}\n".utf8
        return uncached(DataAPI.json(body))
    }

    private func answer(_ parameters: RouteParameters, _ file: BundleFile) throws(APIProblem) -> HTTPResponse {
        let listed = try find(String(decoding: parameters["incident"] ?? [], as: UTF8.self))
        let bytes: [UInt8]?
        do { bytes = try archive.read(listed.summary.id, file) } catch {
            throw APIProblem(status: 500, title: "Internal Server Error", detail: "\(error)")
        }
        guard let bytes else {
            throw .notFound(
                listed.isStored
                    ? "incident \(listed.summary.id) has no \(file.rawValue)"
                    : "incident \(listed.summary.id) is kept in memory, without \(file.rawValue); with --storage.path "
                        + "all files of an incident are kept")
        }
        let type =
            switch file {
            case .document: "application/json"
            case .samples: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            case .operations: "application/x-ndjson"
            case .guide: "text/markdown; charset=utf-8"
            }
        return uncached(.bytes(bytes, contentType: type))
    }

    /// By its id, or the newest by the word `last`.
    private func find(_ name: String) throws(APIProblem) -> IncidentArchive.Listed {
        let listed = archive.listed
        let found = name == "last" ? listed.first : listed.first { $0.summary.id.text == name }
        guard let found else {
            throw .notFound(
                listed.isEmpty
                    ? "there has been no incident"
                    : "there is no incident \"\(name)\"; GET /api/v1/incidents lists all \(listed.count)")
        }
        return found
    }

    /// `{"map":…,"note":…}`: an incident because somebody asks for one.
    private func record(_ body: [UInt8], on host: MapHost) throws(APIProblem) -> HTTPResponse {
        let (name, note) = try IncidentsEndpoint.request(body)
        guard let map = host.hostedMap(name) else { throw .undeclared(name) }
        let summary: IncidentSummary
        do {
            summary = try reporter.record(note: note, on: name, incarnation: host.snapshot(of: map).incarnation)
        } catch {
            switch error {
            case .noStorage:
                throw APIProblem(
                    status: 409, title: "Conflict",
                    detail: "there is no place for an incident: start mapwatch with --storage.path DIR")
            case .tooSoon(let seconds):
                throw APIProblem(
                    status: 429, title: "Too Many Requests",
                    detail: "map \"\(name)\" has an incident of the last minute; the next one in \(seconds) s",
                    retryAfter: seconds)
            case .storage(let error): throw .insufficientStorage("\(error)")
            }
        }
        var response = DataAPI.json(
            IncidentRow.render(IncidentArchive.Listed(summary: summary, isStored: true)) + "\n".utf8, status: 201)
        response.headers.append(("Location", "/api/v1/incidents/\(summary.id)"))
        return response
    }

    private static func request(_ body: [UInt8]) throws(APIProblem) -> (MapName, note: String) {
        let (map, note): (String?, String?)
        do {
            let members = try JSONMembers(JSONValue.parse(body), known: ["map", "note"])
            (map, note) = (try members.text("map"), try members.text("note"))
        } catch {
            throw .badRequest("\(error)")
        }
        guard let map else { throw .badRequest("give \"map\": the incident of which map?") }
        let bytes = note?.utf8.count ?? 0
        guard bytes <= maximumNoteBytes else {
            throw .badRequest("\"note\" has \(bytes) bytes; it may have \(maximumNoteBytes)")
        }
        do { return (try MapName(map), note ?? "") } catch { throw .unprocessable("\(error)", field: "map") }
    }

    private func uncached(_ response: HTTPResponse) -> HTTPResponse {
        var response = response
        response.headers.append(("Cache-Control", "no-store"))
        return response
    }
}
