import DataDocuments
import HTTPServer
import InstrumentedMaps

/// The routes of the data API, each behind the perturbations of its map: what needs a shard that is out is a 503, and nothing
/// of it is done.
struct PerturbedRoutes {
    let host: MapHost
    let perturbations: Perturbations
    let nanoseconds: @Sendable () -> UInt64

    func guarded(_ routes: [Route]) -> [Route] {
        routes.map { route in
            guard PerturbedRoutes.needsShards(route) else { return route }
            return Route(route.method, route.pattern, name: route.name, bodyLimit: route.bodyLimit) {
                request, parameters in
                guard let name = try? DataAPI.name(parameters), let map = host.map(name) else {
                    return route.handler(request, parameters)
                }
                if route.name == "map", request.target.firstQueryValue("count") == nil {
                    return route.handler(request, parameters)
                }
                let (entered, keptOutBy) = perturbations.enter(map) {
                    PerturbedRoutes.reach(of: request, parameters, route.name, in: map)
                }
                guard let entered else { return refusal(keptOutBy, name) }
                defer { perturbations.leave(map, entered) }
                return route.handler(request, parameters)
            }
        }
    }

    /// Whether a request of this route may want a shard's lock. What describes, creates, drops or switches a map does not,
    /// but for an exact count; neither does the end of a listing.
    private static func needsShards(_ route: Route) -> Bool {
        switch route.name {
        case "maps", "mode", "perturbations": false
        case "map": route.method == .get
        case "entries": route.method != .delete
        default: true
        }
    }

    private static func reach(
        of request: HTTPRequest, _ parameters: RouteParameters, _ route: String, in map: any InstrumentedMap
    ) -> Perturbations.Reach {
        switch route {
        case "entry":
            return .shards([map.shard(of: parameters["key"] ?? [])])
        case "batch":
            // A body that is wrong is answered by the batch itself, which touches no shard for it.
            let operations = (try? BatchOperation.parse(request.body)) ?? []
            return .shards(Set(operations.map { map.shard(of: $0.key) }))
        default:
            return .whole
        }
    }

    private func refusal(_ active: Perturbations.Active?, _ name: MapName) -> HTTPResponse {
        guard let active, let shard = active.perturbation.shard else {
            return .problem(503, "Service Unavailable", "map \"\(name)\" is disturbed on purpose", retryAfter: 1)
        }
        let seconds = active.secondsLeft(now: nanoseconds())
        let does = active.perturbation.kind == .stall ? "stands still" : "fails"
        return .problem(
            503, "Service Unavailable",
            "shard \(shard) of map \"\(name)\" \(does) on purpose for another \(seconds) s (a perturbation of kind "
                + "\(active.perturbation.kind.rawValue)), and nothing was done; "
                + "DELETE /api/v1/maps/\(name)/perturbations ends it",
            retryAfter: seconds)
    }
}
