// From method and path to a closure, by a walk over the routes in order.
//
// Why a list and no tree: a listener has about fifteen routes; comparing the segment counts leaves a handful to look
// at, and the order of registration says who wins. Matching is on decoded segments, so `%6Daps` is `maps`, and a
// captured segment is bytes, empty ones too: that the key is 0 bytes long is for the handler to say.
//
// HEAD is answered by the GET route of the path, which can tell by `request.method`; libmicrohttpd leaves the body
// away and keeps its Content-Length.

/// What a route's `{name}` segments matched, decoded.
public struct RouteParameters: Sendable {
    let captured: [(name: String, value: [UInt8])]

    /// The bytes that `{name}` matched; nil when the pattern has no such name.
    public subscript(_ name: String) -> [UInt8]? {
        captured.first { $0.name == name }?.value
    }
}

/// One method of one path.
public struct Route: Sendable {
    public typealias Handler = @Sendable (HTTPRequest, RouteParameters) -> HTTPResponse

    /// The label under which its requests are counted.
    public let name: String
    public let method: HTTPMethod
    /// As in "/api/v1/maps/{map}/entries/{key}".
    public let pattern: String
    /// The largest body in bytes.
    public let bodyLimit: Int
    public let handler: Handler

    public init(
        _ method: HTTPMethod, _ pattern: String, name: String, bodyLimit: Int = 0, handler: @escaping Handler
    ) {
        self.name = name
        self.method = method
        self.pattern = pattern
        self.bodyLimit = bodyLimit
        self.handler = handler
    }
}

/// A handler that is a table of routes; immutable, safe to share among threads.
public struct Router: HTTPHandler {
    private struct Entry: Sendable {
        let route: Route
        let pattern: RoutePattern
    }

    private let entries: [Entry]

    /// Builds the table; throws `HTTPServerError` of kind `invalidRoute`.
    public init(_ routes: [Route]) throws(HTTPServerError) {
        var entries: [Entry] = []
        for route in routes {
            let pattern = try RoutePattern(route.pattern)
            if entries.contains(where: { $0.route.method == route.method && $0.pattern.matchesSame(as: pattern) }) {
                throw .invalidRoute(route.pattern, because: "\(route.method) stands twice")
            }
            entries.append(Entry(route: route, pattern: pattern))
        }
        self.entries = entries
    }

    /// The route's plan, or 404, or 405 with `Allow`.
    public func prepare(_ head: HTTPRequestHead) -> RequestPlan {
        let wanted: HTTPMethod = head.method == .head ? .get : head.method
        var allowed: Set<String> = []
        for entry in entries {
            guard let captured = entry.pattern.match(head.target.segments) else { continue }
            if entry.route.method == wanted {
                let route = entry.route
                return .accept(handler: route.name, bodyLimit: route.bodyLimit) { request in
                    route.handler(request, RouteParameters(captured: captured))
                }
            }
            allowed.insert(entry.route.method.description)
            if entry.route.method == .get { allowed.insert("HEAD") }
        }
        if allowed.isEmpty {
            return .refuse(handler: "none", .problem(404, "Not Found", "no such path: \(head.target.path)"))
        }
        let methods = allowed.sorted().joined(separator: ", ")
        var response = HTTPResponse.problem(
            405, "Method Not Allowed", "\(head.method) is not allowed on \(head.target.path), only \(methods)")
        response.headers.append(("Allow", methods))
        return .refuse(handler: "none", response)
    }
}
