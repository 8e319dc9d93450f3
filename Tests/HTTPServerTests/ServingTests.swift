import TestSupport
import Testing

@testable import HTTPServer

@Suite("Serving")
struct ServingTests {
    @Test("a response carries its headers, its length and a date")
    func headers() throws {
        let fixture = try Fixture([
            Route(.get, "/", name: "index") { _, _ in
                HTTPResponse(
                    status: 201, headers: [("X-One", "1"), ("X-One", "2"), ("Content-Length", "77")],
                    body: Array("hello".utf8))
            }
        ])
        let response = try fixture.connect().request("GET", "/")
        #expect(response.status == 201)
        #expect(response.headers("X-One") == ["1", "2"])
        #expect(response.headers("Content-Length") == ["5"])
        #expect(response.headers("Date").count == 1)
        #expect(response.text == "hello")
    }

    @Test("a response header that would split the response becomes a 500")
    func splitting() throws {
        let aborted = Monitor<[ResponseCompletion]>([])
        let fixture = try Fixture([
            Route(.get, "/", name: "index") { _, _ in
                HTTPResponse(status: 200, headers: [("X-One", "1\r\nX-Two: 2")]) { completion in
                    aborted.withLock { $0.append(completion) }
                }
            }
        ])
        let response = try fixture.connect().request("GET", "/")
        #expect(response.status == 500)
        #expect(response.header("X-Two") == nil)
        #expect(fixture.waitForFinished(1).first?.status == 500)
        #expect(aborted.withLock { $0 } == [.aborted])
    }

    @Test("HEAD has the headers of GET, its length too, and no body")
    func head() throws {
        let fixture = try Fixture([
            Route(.get, "/", name: "index") { request, _ in .text(request.method == .head ? "headed" : "got it") }
        ])
        let connection = try fixture.connect()
        let response = try connection.request("HEAD", "/")
        #expect(response.status == 200)
        #expect(response.header("Content-Length") == "6")
        #expect(response.body.isEmpty)
        #expect(try connection.request("GET", "/").text == "got it")
    }

    @Test("404 and 405 come over the wire with their Allow")
    func refusals() throws {
        let fixture = try Fixture([sizeRoute(limit: 10), Route(.get, "/size", name: "read") { _, _ in .empty(204) }])
        let connection = try fixture.connect()
        #expect(try connection.request("GET", "/nothing").status == 404)
        let refused = try connection.request("DELETE", "/size")
        #expect(refused.status == 405)
        #expect(refused.header("Allow") == "GET, HEAD, PUT")
        #expect(try connection.request("PATCH", "/size").status == 405)
        #expect(try connection.request("GET", "/size").status == 204)
    }

    @Test("a request's headers are found without regard to case, all of them in order")
    func requestHeaders() throws {
        let fixture = try Fixture([
            Route(.get, "/", name: "index") { request, _ in
                .text("\(request.headers.first("x-one") ?? "-") \(request.headers.all("X-ONE")) \(request.peerAddress)")
            }
        ])
        let response = try fixture.connect().request("GET", "/", headers: [("X-One", "1"), ("x-oNE", "2")])
        #expect(response.text == "1 [\"1\", \"2\"] 127.0.0.1")
    }

    @Test("finished requests are counted by handler and status, and observed")
    func counting() throws {
        let fixture = try Fixture([sizeRoute(limit: 10)])
        let connection = try fixture.connect()
        _ = try connection.request("PUT", "/size", body: [1])
        _ = try connection.request("GET", "/nothing")
        _ = try connection.request("PUT", "/size", body: patternBytes(11))
        let finished = fixture.waitForFinished(3)
        #expect(finished.map(\.handler) == ["size", "none", "size"])
        #expect(finished.map(\.status) == [200, 404, 413])
        #expect(finished.allSatisfy { $0.completion == .sent && $0.nanoseconds > 0 })
        // The third request is counted just after it was observed; a stop comes after both.
        #expect(fixture.server.statistics.acceptedConnections == 1)
        fixture.server.stop(within: 10)
        let statistics = fixture.server.statistics
        #expect(
            statistics.requests == [
                RequestLabels(handler: "size", status: 200): 1, RequestLabels(handler: "none", status: 404): 1,
                RequestLabels(handler: "size", status: 413): 1,
            ])
        #expect(Set(statistics.refused.keys) == Set(RefusalReason.allCases))
        #expect(statistics.requestsInFlight == 0)
        #expect(statistics.openConnections == 0)
    }

    @Test("200 keep-alive clients at once each get their own answers")
    func manyClients() async throws {
        let fixture = try Fixture([echoRoute()])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    let connections = try (0..<50).map { _ in try fixture.connect() }
                    for round in 0..<5 {
                        let bodies = connections.indices.map { Array("\(worker) \(round) \($0)".utf8) }
                        for (connection, body) in zip(connections, bodies) {
                            try connection.sendRequest("PUT", "/echo", body: body)
                        }
                        for (connection, body) in zip(connections, bodies) {
                            #expect(try connection.readResponse(to: "PUT").body == body)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(fixture.waitForFinished(1000).count == 1000)
        #expect(fixture.server.statistics.acceptedConnections == 200)
    }

    @Test("requests sent in one piece are answered in order")
    func pipelined() throws {
        let fixture = try Fixture([echoRoute()])
        let connection = try fixture.connect()
        for number in 0..<20 { try connection.sendRequest("PUT", "/echo", body: Array("\(number)".utf8)) }
        for number in 0..<20 { #expect(try connection.readResponse(to: "PUT").text == "\(number)") }
    }

    @Test("one server listens on several sockets")
    func severalSockets() throws {
        let sockets = try (0..<2).map { _ in try ListeningSocket.bind(ListenAddress("127.0.0.1:0")) }
        let server = try HTTPServer(
            name: "test", sockets: sockets,
            handler: try Router([Route(.get, "/", name: "index") { _, _ in .text("here") }]))
        defer { server.stop(within: 1) }
        #expect(server.boundAddresses == sockets.map(\.boundAddress))
        for socket in sockets {
            #expect(try HTTPClient.request("GET", "/", port: socket.port).text == "here")
        }
    }
}
