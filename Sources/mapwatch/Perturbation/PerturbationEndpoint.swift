import HTTPServer
import InstrumentedMaps
import Logging

/// Disturbs maps on purpose: `PUT`, `GET` and `DELETE /api/v1/maps/{map}/perturbations`.
struct PerturbationEndpoint {
    private static let pattern = "/api/v1/maps/{map}/perturbations"
    private static let bodyLimit = 16 << 10

    let host: MapHost
    let perturbations: Perturbations
    let token: ChaosToken
    /// Maps whose callers are tasks of this process: one that waited for a stalled shard would keep a thread of all tasks.
    let playedMaps: Set<MapName>
    let logger: Logger
    let nanoseconds: @Sendable () -> UInt64

    /// What the path answers without `--enable-chaos`.
    static func disabledRoutes() -> [Route] {
        [HTTPMethod.put, .get, .delete].map { method in
            Route(method, pattern, name: "perturbations", bodyLimit: bodyLimit) { _, _ in
                .problem(
                    403, "Forbidden",
                    "maps are not to be disturbed here; start mapwatch with --enable-chaos and --chaos.token-file to allow it"
                )
            }
        }
    }

    func routes() -> [Route] {
        [
            route(.put) { request, map throws(APIProblem) in try start(request, map) },
            route(.get) { _, map throws(APIProblem) in list(map.name) },
            route(.delete) { request, map throws(APIProblem) in try end(request, map.name) },
        ]
    }

    private func route(
        _ method: HTTPMethod,
        _ body: @escaping @Sendable (HTTPRequest, any InstrumentedMap) throws(APIProblem) -> HTTPResponse
    ) -> Route {
        Route(method, PerturbationEndpoint.pattern, name: "perturbations", bodyLimit: PerturbationEndpoint.bodyLimit) {
            request, parameters in
            guard token.admits(request.headers) else { return PerturbationEndpoint.unauthorized(request.headers) }
            return DataAPI.answer { () throws(APIProblem) in
                try body(request, host.declaredMap(DataAPI.name(parameters)))
            }
        }
    }

    private static func unauthorized(_ headers: HTTPHeaders) -> HTTPResponse {
        let isGiven = headers.first("Authorization") != nil || headers.first(ChaosToken.header) != nil
        var response = HTTPResponse.problem(
            401, "Unauthorized",
            isGiven
                ? "wrong token" : "a token is asked for: Authorization: Bearer TOKEN, or \(ChaosToken.header): TOKEN")
        response.headers.append(("WWW-Authenticate", "Bearer realm=\"mapwatch chaos\""))
        return response
    }

    private func start(_ request: HTTPRequest, _ map: any InstrumentedMap) throws(APIProblem) -> HTTPResponse {
        let perturbation = try Perturbation(json: request.body, shards: map.options.shards)
        if perturbation.kind == .stall, playedMaps.contains(map.name) {
            throw APIProblem(
                status: 409, title: "Conflict",
                detail:
                    "map \"\(map.name)\" is played by --demo, whose tasks would wait for the shard; stall another map")
        }
        do {
            _ = try perturbations.start(perturbation, on: map)
        } catch {
            throw APIProblem(status: 409, title: "Conflict", detail: "\(error)")
        }
        logger.warning(
            "perturbation began",
            metadata: [
                "map": "\(map.name)", "kind": "\(perturbation.kind.rawValue)",
                "shard": "\(perturbation.shard.map(String.init) ?? "all")", "seconds": "\(perturbation.seconds)",
                "peer": "\(request.peerAddress)",
            ])
        return list(map.name, status: 201)
    }

    private func end(_ request: HTTPRequest, _ name: MapName) throws(APIProblem) -> HTTPResponse {
        var kind: PerturbationKind?
        if let bytes = request.target.firstQueryValue("kind") {
            let text = String(decoding: bytes, as: UTF8.self)
            kind = PerturbationKind(rawValue: text)
            guard kind != nil else {
                let known = PerturbationKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badRequest("kind must be one of \(known), not \"\(text)\"")
            }
        }
        guard !perturbations.end(kind, on: name).isEmpty else {
            throw .notFound("nothing\(kind.map { " of kind \($0.rawValue)" } ?? "") disturbs map \"\(name)\"")
        }
        return .empty(204)
    }

    private func list(_ name: MapName, status: Int = 200) -> HTTPResponse {
        let now = nanoseconds()
        let lines = perturbations.active(on: name).map { active in
            var line = JSONLine()
            let perturbation = active.perturbation
            line.add("kind", perturbation.kind.rawValue)
            if let shard = perturbation.shard { line.add("shard", shard) }
            line.add("probability", perturbation.probability)
            if perturbation.kind == .delay { line.add("microseconds", perturbation.microseconds) }
            if !perturbation.kind.refusesRequests { line.add("seed", perturbation.seed) }
            line.add("seconds", perturbation.seconds)
            line.add("seconds_left", active.secondsLeft(now: now))
            return String(decoding: line.object(), as: UTF8.self)
        }
        return DataAPI.json(Array("[\(lines.joined(separator: ",\n "))]\n".utf8), status: status)
    }
}
