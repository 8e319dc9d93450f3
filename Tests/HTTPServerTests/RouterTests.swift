import HTTPServer
import Testing

@Suite("Router")
struct RouterTests {
    private static func route(_ method: HTTPMethod, _ pattern: String, _ name: String) -> Route {
        Route(method, pattern, name: name) { _, parameters in
            let captured = ["map", "key"].compactMap { parameters[$0] }.map { String(decoding: $0, as: UTF8.self) }
            return .text(([name] + captured).joined(separator: " "))
        }
    }

    private static func makeRouter() throws -> Router {
        try Router([
            route(.get, "/metrics", "metrics"),
            route(.get, "/", "index"),
            route(.post, "/-/reload", "reload"),
            route(.get, "/api/v1/maps", "maps"),
            route(.get, "/api/v1/maps/{map}", "map"),
            route(.put, "/api/v1/maps/{map}", "map_create"),
            route(.delete, "/api/v1/maps/{map}", "map_drop"),
            route(.put, "/api/v1/maps/{map}/entries/{key}", "entry_put"),
            route(.get, "/api/v1/maps/{map}/entries/{key}", "entry_get"),
        ])
    }

    private static let answers: [(HTTPMethod, String, String)] = [
        (.get, "/metrics", "metrics"),
        (.head, "/metrics", "metrics"),
        (.get, "/", "index"),
        (.post, "/-/reload", "reload"),
        (.get, "/api/v1/maps", "maps"),
        (.get, "/api/v1/%6Daps", "maps"),
        (.get, "/api/v1/maps/", "map "),
        (.put, "/api/v1/maps/orders", "map_create orders"),
        (.delete, "/api/v1/maps/orders", "map_drop orders"),
        (.get, "/api/v1/maps/orders/entries/a%2Fb", "entry_get orders a/b"),
        (.put, "/api/v1/maps/orders/entries/%00", "entry_put orders \0"),
        (.get, "/api/v1/maps/orders/entries/", "entry_get orders "),
    ]

    @Test("method and path choose the route and its captures", arguments: answers)
    func answer(method: HTTPMethod, path: String, expected: String) throws {
        let head = HTTPRequestHead(method: method, target: try RequestTarget(parsing: Array(path.utf8)))
        guard case .accept(let name, _, let respond) = try Self.makeRouter().prepare(head) else {
            Issue.record("\(method) \(path) was refused")
            return
        }
        #expect(expected.hasPrefix(name))
        #expect(String(decoding: respond(HTTPRequest(head: head)).body, as: UTF8.self) == expected)
    }

    private static let refusals: [(HTTPMethod, String, Int, String?)] = [
        (.get, "/nothing", 404, nil),
        (.get, "/metrics/", 404, nil),
        (.get, "//metrics", 404, nil),
        (.get, "/Metrics", 404, nil),
        (.other("PATCH"), "/nothing", 404, nil),
        (.get, "/api/v1/maps/orders/entries/a/b", 404, nil),
        (.put, "/metrics", 405, "GET, HEAD"),
        (.other("PATCH"), "/metrics", 405, "GET, HEAD"),
        (.other("get"), "/metrics", 405, "GET, HEAD"),
        (.get, "/-/reload", 405, "POST"),
        (.head, "/-/reload", 405, "POST"),
        (.post, "/api/v1/maps/orders", 405, "DELETE, GET, HEAD, PUT"),
        (.delete, "/api/v1/maps/orders/entries/k", 405, "GET, HEAD, PUT"),
    ]

    @Test("an unknown path is 404, another method is 405 with Allow", arguments: refusals)
    func refusal(method: HTTPMethod, path: String, status: Int, allow: String?) throws {
        let head = HTTPRequestHead(method: method, target: try RequestTarget(parsing: Array(path.utf8)))
        guard case .refuse(let name, let response) = try Self.makeRouter().prepare(head) else {
            Issue.record("\(method) \(path) was accepted")
            return
        }
        #expect(name == "none")
        #expect(response.status == status)
        #expect(response.headers.first { $0.name == "Allow" }?.value == allow)
    }

    private static let broken: [(String, String)] = [
        ("metrics", "invalid route \"metrics\": it does not start with a slash"),
        ("/{a}/{a}", "invalid route \"/{a}/{a}\": {a} stands twice"),
        ("/a b", "invalid route \"/a b\": \"a b\" holds a character that a path cannot hold as it is"),
        ("/a%2F", "invalid route \"/a%2F\": \"a%2F\" holds a character that a path cannot hold as it is"),
    ]

    @Test("a malformed pattern is an error that names it", arguments: broken)
    func brokenPattern(pattern: String, text: String) {
        let error = #expect(throws: HTTPServerError.self) { try Router([Self.route(.get, pattern, "x")]) }
        #expect(error?.description == text)
    }

    @Test("the same method of the same path twice is an error")
    func duplicate() {
        let error = #expect(throws: HTTPServerError.self) {
            try Router([Self.route(.get, "/a/{x}", "one"), Self.route(.get, "/a/{y}", "two")])
        }
        #expect(error?.description == "invalid route \"/a/{y}\": GET stands twice")
    }
}
