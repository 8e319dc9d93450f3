import DataDocuments
import HTTPServer
import InstrumentedMaps

/// Creates, lists, describes and drops maps, and switches their mode.
struct MapsEndpoint {
    let host: MapHost
    let listings: Listings

    func routes() -> [Route] {
        [
            Route(.get, "/api/v1/maps", name: "maps") { _, _ in list() },
            Route(.get, "/api/v1/maps/{map}", name: "map") { request, parameters in
                DataAPI.answer { () throws(APIProblem) in
                    let isExact = try MapsEndpoint.wantsExactCount(request.target.query)
                    let map = try hostedMap(parameters)
                    let entries = isExact ? UInt64(map.countExact()) : nil
                    return DataAPI.json(describe(host.snapshot(of: map), entries: entries) + "\n".utf8)
                }
            },
            Route(.put, "/api/v1/maps/{map}", name: "map", bodyLimit: DataAPI.maximumDocumentBytes) {
                request, parameters in
                DataAPI.answer { () throws(APIProblem) in try create(parameters, request.body) }
            },
            Route(.put, "/api/v1/maps/{map}/mode", name: "mode", bodyLimit: DataAPI.maximumDocumentBytes) {
                request, parameters in
                DataAPI.answer { () throws(APIProblem) in try switchMode(parameters, request.body) }
            },
            Route(.delete, "/api/v1/maps/{map}", name: "map") { _, parameters in
                DataAPI.answer { () throws(APIProblem) in try drop(DataAPI.name(parameters)) }
            },
        ]
    }

    private func list() -> HTTPResponse {
        var body: [UInt8] = []
        for map in host.snapshot().maps {
            body += (body.isEmpty ? "[" : ",\n ").utf8
            body += describe(map)
        }
        return DataAPI.json(body.isEmpty ? Array("[]\n".utf8) : body + "]\n".utf8)
    }

    private func create(_ parameters: RouteParameters, _ body: [UInt8]) throws(APIProblem) -> HTTPResponse {
        let name: MapName
        do {
            name = try MapName(utf8: parameters["map"] ?? [])
        } catch {
            throw .unprocessable("\(error)", field: "name")
        }
        let options = try options(body)
        do {
            let creation = try host.create(name, options)
            let map = host.snapshot(of: try host.declaredMap(name))
            return DataAPI.json(describe(map) + "\n".utf8, status: creation == .created ? 201 : 200)
        } catch let refusal as MapHostError {
            throw APIProblem(refusal)
        } catch let problem as APIProblem {
            throw problem
        } catch {
            throw .badRequest("\(error)")
        }
    }

    /// The options in the body; an empty body asks for the defaults.
    private func options(_ body: [UInt8]) throws(APIProblem) -> MapOptions {
        var fields: [String: OptionValue] = [:]
        if !body.isEmpty {
            let value: JSONValue
            do { value = try JSONValue.parse(body) } catch { throw .badRequest("\(error)") }
            guard case .object(let members) = value else {
                throw .badRequest("expected an object of options, not \(value.description)")
            }
            fields = members.mapValues(\.optionValue)
        }
        do {
            return try MapOptions(fields: fields)
        } catch {
            throw .unprocessable("\(error)", field: error.field)
        }
    }

    /// The map of the path, whatever it holds.
    private func hostedMap(_ parameters: RouteParameters) throws(APIProblem) -> any HostedMap {
        let name = try DataAPI.name(parameters)
        guard let map = host.hostedMap(name) else { throw .undeclared(name) }
        return map
    }

    /// `?count=exact` asks for a count under all locks, `relaxed` or nothing for the sum of the shards' counters.
    private static func wantsExactCount(_ query: [RequestTarget.QueryItem]) throws(APIProblem) -> Bool {
        var isExact = false
        for item in query where item.name.elementsEqual("count".utf8) {
            switch String(decoding: item.value, as: UTF8.self) {
            case "exact": isExact = true
            case "relaxed": isExact = false
            case let other: throw .badRequest("count must be exact or relaxed, not \"\(other)\"")
            }
        }
        return isExact
    }

    /// `{"mode":"global"}` or `"normal"`, while operations go on.
    private func switchMode(_ parameters: RouteParameters, _ body: [UInt8]) throws(APIProblem) -> HTTPResponse {
        let text: String
        do {
            let members = try JSONMembers(JSONValue.parse(body), known: ["mode"])
            guard let mode = try members.text("mode") else { throw JSONProblem("give \"mode\"") }
            text = mode
        } catch {
            throw .badRequest("\(error)")
        }
        let mode: MapMode
        do { mode = try MapMode(named: text) } catch { throw .unprocessable("\(error)", field: error.field) }
        let map = try hostedMap(parameters)
        map.setMode(mode)
        return DataAPI.json(describe(host.snapshot(of: map)) + "\n".utf8)
    }

    private func drop(_ name: MapName) throws(APIProblem) -> HTTPResponse {
        guard host.drop(name) else {
            throw host.hostedMap(name) == nil ? .undeclared(name) : APIProblem(.holdsSwiftValues(name))
        }
        listings.endAll(of: name)
        return .empty(204)
    }

    /// A map's options and figures; `entries` in place of the sum of the shards' counters.
    private func describe(_ map: MapSnapshot, entries: UInt64? = nil) -> [UInt8] {
        var line = JSONLine()
        line.add("name", map.name.text)
        line.add("strategy", map.options.strategy.rawValue)
        line.add("shards", map.options.shards)
        if map.options.strategy == .sharded { line.add("reads", map.options.reads.rawValue) }
        if map.options.strategy != .rwlock { line.add("hash", map.options.hash.rawValue) }
        if map.options.strategy == .checked {
            line.add("policy", map.options.policy.rawValue)
            line.add("check_reads", json: Array("\(map.options.checksReads)".utf8))
        }
        if let maximum = map.options.maximumBytes { line.add("max_bytes", maximum) }
        if let seconds = map.options.ttlSeconds { line.add("ttl_seconds", seconds) }
        if map.options.deletionGuard != .allow { line.add("guard", map.options.deletionGuard.rawValue) }
        line.add("detail", map.detail.rawValue)
        line.add("mode", map.mode.rawValue)
        line.add("entries", entries ?? map.sum(\.entries))
        line.add("bytes", map.sum(\.liveBytes))
        line.add("allocated_bytes", map.sum(\.allocatedBytes))
        line.add("writes", map.sum(\.writes))
        line.add("deletes", map.sum(\.deletes))
        line.add("loads", map.sum(\.loads))
        return line.object()
    }
}
