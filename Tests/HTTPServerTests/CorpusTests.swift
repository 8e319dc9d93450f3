import TestSupport
import Testing

@testable import HTTPServer

@Suite("Request corpus")
struct CorpusTests {
    /// What the routes have seen.
    private struct Seen {
        var requests = 0
        var canaries = 0
        var smuggled = 0
    }

    private let seen = Monitor(Seen())
    private let fixture: Fixture

    init() throws {
        let seen = seen
        fixture = try Fixture([
            Route(.get, "/", name: "get") { _, _ in
                seen.withLock { $0.requests += 1 }
                return .text("get")
            },
            Route(.put, "/put", name: "put", bodyLimit: 1000) { _, _ in
                seen.withLock { $0.requests += 1 }
                return .text("put")
            },
            Route(.get, "/canary", name: "canary") { _, _ in
                seen.withLock { $0.canaries += 1 }
                return .text("canary")
            },
            Route(.get, "/smuggled", name: "smuggled") { _, _ in
                seen.withLock { $0.smuggled += 1 }
                return .text("smuggled")
            },
        ])
    }

    /// Sends a request and, right behind it, a second one; gives all that came back until the server closed.
    private func send(_ request: CorpusRequest) throws -> String {
        let connection = try fixture.connect()
        let canary = Array("GET /canary HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8)
        try connection.send(request.bytes(get: "/", put: "/put", smuggled: "/smuggled") + canary)
        connection.finishSending()
        return String(decoding: try connection.readToEnd(), as: UTF8.self)
    }

    @Test("of 73 hostile requests at most 4 reach a handler, and none a handler that it did not name")
    func hostile() throws {
        var reached: [String] = []
        for request in RequestCorpus.hostile {
            let before = seen.withLock { $0 }
            let answer = try send(request)
            let after = seen.withLock { $0 }
            if after.requests > before.requests {
                reached.append(request.rule)
            } else {
                // Where the next request begins is in doubt, so there is none; a 405 is for a request in good order.
                let isInOrder = answer.hasPrefix("HTTP/1.1 405 ")
                #expect(answer.contains(" 200 ") == isInOrder, "\(request)")
                #expect((after.canaries > before.canaries) == isInOrder, "\(request)")
            }
            #expect(after.smuggled == 0, "\(request)")
        }
        let count = RequestCorpus.hostile.count
        print("hostile requests that reached a handler: \(reached.count) of \(count): \(reached)")
        #expect(count >= 73)
        #expect(reached.count * 73 <= 4 * count)
    }

    @Test("a legal request is answered, and so is the one behind it", arguments: RequestCorpus.legal)
    func legal(request: CorpusRequest) throws {
        let answer = try send(request)
        #expect(seen.withLock { $0.requests } == 1, "\(answer)")
        #expect(answer.contains(" 200 "), "\(answer)")
        let bytes = request.bytes(get: "/", put: "/put", smuggled: "/smuggled")
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        let endsConnection = text.contains("http/1.0") || text.contains("transfer-encoding")
        #expect(seen.withLock { $0.canaries } == (endsConnection ? 0 : 1), "\(answer)")
    }
}
