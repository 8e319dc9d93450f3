import HTTPServer
import InstrumentedMaps

/// Puts, gets and deletes one entry. Keys are the path's bytes, values the body's, both raw.
struct EntryEndpoint {
    let host: MapHost

    private static let pattern = "/api/v1/maps/{map}/entries/{key}"

    func routes() -> [Route] {
        [
            Route(.put, EntryEndpoint.pattern, name: "entry", bodyLimit: DataAPI.maximumValueBytes) {
                request, parameters in
                DataAPI.answer { () throws(APIProblem) in
                    let key = try key(parameters)
                    let map = try host.writableMap(DataAPI.name(parameters))
                    switch map.store(key, request.body) {
                    case .inserted: return .empty(201)
                    case .updated: return .empty(204)
                    case .refused: throw .outOfMemory(map)
                    }
                }
            },
            Route(.get, EntryEndpoint.pattern, name: "entry") { _, parameters in
                DataAPI.answer { () throws(APIProblem) in
                    let key = try key(parameters)
                    guard let value = try host.declaredMap(DataAPI.name(parameters)).load(key) else {
                        throw absent(parameters)
                    }
                    return .bytes(value, contentType: "application/octet-stream")
                }
            },
            Route(.delete, EntryEndpoint.pattern, name: "entry") { _, parameters in
                DataAPI.answer { () throws(APIProblem) in
                    let key = try key(parameters)
                    guard try host.declaredMap(DataAPI.name(parameters)).delete(key) else {
                        throw absent(parameters)
                    }
                    return .empty(204)
                }
            },
        ]
    }

    private func key(_ parameters: RouteParameters) throws(APIProblem) -> [UInt8] {
        let key = parameters["key"] ?? []
        try DataAPI.checkKey(key)
        return key
    }

    private func absent(_ parameters: RouteParameters) -> APIProblem {
        let key = String(decoding: parameters["key"] ?? [], as: UTF8.self)
        let map = String(decoding: parameters["map"] ?? [], as: UTF8.self)
        return .notFound("map \"\(map)\" has no key \"\(key)\"")
    }
}
