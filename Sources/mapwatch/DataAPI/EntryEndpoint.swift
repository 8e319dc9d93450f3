import DataDocuments
import HTTPServer
import InstrumentedMaps

// A condition is checked and the entry changed in one step, under the shard's lock:
//
//     client A   GET 1, "x"        PUT 2 If-Match "x" → 204
//     client B         GET 1, "x"                            PUT 2 If-Match "x" → 412: get again, and put 3
//
// Between a get and a put of our own somebody else could come; so there is no such pair in here.

/// Puts, gets and deletes one entry. Keys are the path's bytes, values the body's, both raw.
struct EntryEndpoint {
    let host: MapHost

    private static let pattern = "/api/v1/maps/{map}/entries/{key}"

    func routes() -> [Route] {
        [
            Route(.put, EntryEndpoint.pattern, name: "entry", bodyLimit: EntryLimits.maximumValueBytes) {
                request, parameters in
                DataAPI.answer { () throws(APIProblem) in try put(request, parameters) }
            },
            Route(.get, EntryEndpoint.pattern, name: "entry") { request, parameters in
                DataAPI.answer { () throws(APIProblem) in try get(request, parameters) }
            },
            Route(.delete, EntryEndpoint.pattern, name: "entry") { request, parameters in
                DataAPI.answer { () throws(APIProblem) in try delete(request, parameters) }
            },
        ]
    }

    private func put(_ request: HTTPRequest, _ parameters: RouteParameters) throws(APIProblem) -> HTTPResponse {
        let key = try key(parameters)
        let conditions = try EntryConditions(request.headers)
        let seconds = try TimeToLive.seconds(request.headers)
        let map = try host.writableMap(DataAPI.name(parameters))
        let outcome =
            try conditions.isEmpty
            ? map.answering { $0.store(key, request.body, for: seconds) }
            : store(key, request.body, for: seconds, in: map, when: conditions)
        switch outcome {
        case .inserted: return .empty(201).with(EntityTag(of: request.body.span))
        case .updated: return .empty(204).with(EntityTag(of: request.body.span))
        case .refused: throw .outOfMemory(map)
        }
    }

    private func store(
        _ key: [UInt8], _ value: [UInt8], for seconds: Int?, in map: any InstrumentedMap,
        when conditions: EntryConditions
    ) throws(APIProblem) -> StoreOutcome {
        var current: EntityTag?
        var failure: EntryConditions.Header?
        let outcome = try map.answering { map in
            map.modify(key.span, countingLoad: false) { there in
                if let there { current = EntityTag(of: there) }
                failure = conditions.failure(for: current)
                if failure != nil { return .keep }
                return seconds.map { .storeExpiring(value, ttlSeconds: $0) } ?? .store(value)
            }
        }
        guard case .stored(let stored) = outcome else {
            throw .preconditionFailed(failure ?? .ifMatch, map.name, key, current)
        }
        return stored
    }

    private func get(_ request: HTTPRequest, _ parameters: RouteParameters) throws(APIProblem) -> HTTPResponse {
        let key = try key(parameters)
        let conditions = try EntryConditions(request.headers)
        let map = try host.declaredMap(DataAPI.name(parameters))
        guard let value = try map.answering({ $0.load(key) }) else { throw .absent(map.name, key) }
        let tag = EntityTag(of: value.span)
        switch conditions.failure(for: tag) {
        case .ifMatch: throw .preconditionFailed(.ifMatch, map.name, key, tag)
        // The body is not sent, but counted: a 304 has the Content-Length of the 200, or none (RFC 9110, 8.6).
        case .ifNoneMatch: return HTTPResponse(status: 304, body: value).with(tag)
        case nil: return .bytes(value, contentType: "application/octet-stream").with(tag)
        }
    }

    /// An absent key is a 404 under any condition: a condition counts only where the request would do something without
    /// it (RFC 9110, 13.2.1).
    private func delete(_ request: HTTPRequest, _ parameters: RouteParameters) throws(APIProblem) -> HTTPResponse {
        let key = try key(parameters)
        let conditions = try EntryConditions(request.headers)
        let map = try host.declaredMap(DataAPI.name(parameters))
        var current: EntityTag?
        var failure: EntryConditions.Header?
        let result = try map.answering { map in
            Result { () throws(DeletionRefused) in
                if conditions.isEmpty { return try map.deleteGuarded(key) }
                return try map.removeGuarded(key.span) { value in
                    current = EntityTag(of: value)
                    failure = conditions.failure(for: current)
                    return failure == nil
                }
            }
        }
        let isRemoved: Bool
        do throws(DeletionRefused) {
            isRemoved = try result.get()
        } catch {
            throw APIProblem(error)
        }
        if isRemoved { return .empty(204) }
        guard let failure else { throw .absent(map.name, key) }
        throw .preconditionFailed(failure, map.name, key, current)
    }

    private func key(_ parameters: RouteParameters) throws(APIProblem) -> [UInt8] {
        let key = parameters["key"] ?? []
        try DataAPI.checkKey(key)
        return key
    }
}

extension HTTPResponse {
    fileprivate func with(_ tag: EntityTag) -> HTTPResponse {
        var response = self
        response.headers.append(("ETag", "\(tag)"))
        return response
    }
}

extension APIProblem {
    fileprivate static func absent(_ map: MapName, _ key: [UInt8]) -> APIProblem {
        .notFound("map \"\(map)\" has no key \"\(String(decoding: key, as: UTF8.self))\"")
    }

    fileprivate static func preconditionFailed(
        _ header: EntryConditions.Header, _ map: MapName, _ key: [UInt8], _ current: EntityTag?
    ) -> APIProblem {
        let key = String(decoding: key, as: UTF8.self)
        let found = current.map { "key \"\(key)\" with ETag \($0)" } ?? "no key \"\(key)\""
        var problem = APIProblem(
            status: 412, title: "Precondition Failed",
            detail: "map \"\(map)\" has \(found): \(header.rawValue) does not hold, and nothing has changed",
            field: header.rawValue)
        problem.entityTag = current
        return problem
    }
}
