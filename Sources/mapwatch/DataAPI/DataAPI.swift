import DataDocuments
import HTTPServer
import InstrumentedMaps

// The data API: what callers do to maps over HTTP.
//
//     /api/v1/maps                            MapsEndpoint      list
//     /api/v1/maps/{map}                      MapsEndpoint      create, describe, drop
//     /api/v1/maps/{map}/mode                 MapsEndpoint      switch to one lock and back
//     /api/v1/maps/{map}/entries/{key}        EntryEndpoint     put, get, delete one entry
//     /api/v1/maps/{map}/entries              ListingEndpoint   page through a map
//     /api/v1/maps/{map}/delete               DeleteEndpoint    collect, then delete
//     /api/v1/maps/{map}/batch                BatchEndpoint     many operations in one request

/// The routes of the data listener, over one host.
struct DataAPI {
    /// Bodies that are JSON or NDJSON are up to 8 MiB.
    static let maximumDocumentBytes = 8 << 20

    let host: MapHost
    let listings: Listings

    func routes() -> [Route] {
        let routes =
            MapsEndpoint(host: host, listings: listings).routes()
            + EntryEndpoint(host: host).routes()
            + ListingEndpoint(host: host, listings: listings).routes()
            + DeleteEndpoint(host: host).routes()
            + BatchEndpoint(host: host).routes()
        return routes.map { $0.namingCallers() }
    }

    /// Turns what a handler throws into the answer that says so.
    static func answer(_ body: () throws(APIProblem) -> HTTPResponse) -> HTTPResponse {
        do { return try body() } catch { return error.response }
    }

    /// The map's name in the path.
    static func name(_ parameters: RouteParameters) throws(APIProblem) -> MapName {
        do { return try MapName(utf8: parameters["map"] ?? []) } catch { throw .badRequest("\(error)") }
    }

    /// Throws unless `key` has a length that keys may have.
    static func checkKey(_ key: [UInt8]) throws(APIProblem) {
        if let problem = EntryLimits.problem(key: key) { throw .badRequest(problem) }
    }

    static func json(_ body: [UInt8], status: Int = 200) -> HTTPResponse {
        .bytes(body, contentType: "application/json", status: status)
    }

    static func ndjson(_ body: [UInt8]) -> HTTPResponse {
        .bytes(body, contentType: "application/x-ndjson")
    }
}

extension InstrumentedMap {
    /// Does `body`; a conflict for which the map refuses is a 409 that names both parties.
    func answering<R>(_ body: (any InstrumentedMap) -> R) throws(APIProblem) -> R {
        do { return try refusingConflicts(body) } catch { throw .conflict(error) }
    }
}

extension MapHost {
    /// The map of this name for reading or deleting.
    func declaredMap(_ name: MapName) throws(APIProblem) -> any InstrumentedMap {
        do {
            return try mapForReading(name)
        } catch .undeclared {
            throw .undeclared(name)
        } catch {
            throw APIProblem(error)
        }
    }

    /// The map of this name for writing; a map that is not declared is counted.
    func writableMap(_ name: MapName) throws(APIProblem) -> any InstrumentedMap {
        do { return try mapForWriting(name) } catch { throw APIProblem(error) }
    }
}
