import HTTPServer
import TestSupport
import Testing

@Suite("Request bodies")
struct BodyTests {
    @Test("a body arrives byte for byte", arguments: [0, 1, 1000, 65_536, 300_000], [false, true])
    func echo(size: Int, isChunked: Bool) throws {
        let fixture = try Fixture([echoRoute()])
        let body = patternBytes(size)
        let connection = try fixture.connect()
        let response =
            if isChunked {
                try connection.chunkedRequest("PUT", "/echo", body: body, chunkSize: 7919)
            } else {
                try connection.request("PUT", "/echo", body: body)
            }
        #expect(response.status == 200)
        #expect(response.body == body)
        #expect(response.header("Connection")?.lowercased() == (isChunked ? "close" : nil))
        #expect(fixture.server.bufferedBodyBytes == 0)
    }

    @Test("a body at the limit is taken, one byte more is 413", arguments: [false, true])
    func atLimit(isChunked: Bool) throws {
        let fixture = try Fixture([sizeRoute(limit: 1000)])
        func put(_ size: Int) throws -> HTTPClientResponse {
            let connection = try fixture.connect()
            let body = patternBytes(size)
            return isChunked
                ? try connection.chunkedRequest("PUT", "/size", body: body, chunkSize: 300)
                : try connection.request("PUT", "/size", body: body)
        }
        let fitting = try put(1000)
        #expect(fitting.status == 200)
        #expect(fitting.text == "1000")
        let larger = try put(1001)
        #expect(larger.status == 413)
        #expect(larger.header("Connection")?.lowercased() == "close")
        #expect(larger.text.contains("over the limit of 1000 bytes"))
        #expect(larger.header("Content-Type") == "application/problem+json")
        #expect(fixture.server.statistics.refused[.bodyTooLarge] == 1)
    }

    @Test("a declared body past the drain is 413 at once")
    func farOverDeclared() throws {
        let fixture = try Fixture([sizeRoute(limit: 1000)])
        let connection = try fixture.connect()
        let size = 1000 + HTTPLimits().drainAllowance + 1
        try connection.sendRequest("PUT", "/size", headers: [("Content-Length", "\(size)")])
        let response = try connection.readResponse()
        #expect(response.status == 413)
        #expect(response.text.contains("the body of \(size) bytes is over the limit of 1000 bytes"))
        #expect(try connection.readToEnd().isEmpty)
    }

    @Test("a body within the drain is read whole before its 413")
    func farOverDrained() throws {
        let fixture = try Fixture([sizeRoute(limit: 1000)])
        let response = try fixture.connect().request("PUT", "/size", body: Array(repeating: 0x61, count: 3_000_000))
        #expect(response.status == 413)
    }

    @Test("a chunked body past the drain ends the connection")
    func farOverChunked() throws {
        var limits = HTTPLimits()
        limits.drainAllowance = 100_000
        let fixture = try Fixture([sizeRoute(limit: 1000)], limits: limits)
        let connection = try fixture.connect()
        #expect(throws: HTTPClientError.self) {
            _ = try connection.chunkedRequest(
                "PUT", "/size", body: Array(repeating: 0x61, count: 2_000_000), chunkSize: 50_000)
        }
        #expect(fixture.server.statistics.refused[.bodyTooLarge] == 1)
    }

    @Test("Expect: 100-continue gets its interim answer, or 413 without one", arguments: [10, 1001])
    func expectContinue(size: Int) throws {
        let fixture = try Fixture([sizeRoute(limit: 1000)])
        let connection = try fixture.connect()
        try connection.sendRequest(
            "PUT", "/size", headers: [("Expect", "100-continue"), ("Content-Length", "\(size)")])
        if size > 1000 {
            #expect(try connection.readInterimStatus() == 413)
        } else {
            #expect(try connection.readInterimStatus() == 100)
            try connection.send(patternBytes(size))
            #expect(try connection.readResponse(to: "PUT").text == "10")
        }
    }

    @Test("a refused request with a body keeps its connection")
    func refusedWithBody() throws {
        let fixture = try Fixture([sizeRoute(limit: 1000)])
        let connection = try fixture.connect()
        #expect(try connection.request("PUT", "/nothing", body: patternBytes(100_000)).status == 404)
        #expect(try connection.request("PUT", "/size", body: patternBytes(5)).text == "5")
    }

    @Test("past the budget of all bodies a declared body is 503 with Retry-After")
    func budgetDeclared() throws {
        var limits = HTTPLimits()
        limits.bodyBudget = 100_000
        let fixture = try Fixture([sizeRoute(limit: 1_000_000)], limits: limits)
        let holder = try fixture.connect()
        try holder.sendRequest("PUT", "/size", headers: [("Expect", "100-continue"), ("Content-Length", "60000")])
        #expect(try holder.readInterimStatus() == 100)
        #expect(fixture.server.bufferedBodyBytes == 60_000)

        let connection = try fixture.connect()
        let response = try connection.request("PUT", "/size", body: patternBytes(50_000))
        #expect(response.status == 503)
        #expect(response.header("Retry-After") == "1")
        #expect(fixture.server.statistics.refused[.bodyBudget] == 1)

        try holder.send(patternBytes(60_000))
        #expect(try holder.readResponse(to: "PUT").text == "60000")
        #expect(try connection.request("PUT", "/size", body: patternBytes(50_000)).text == "50000")
        #expect(fixture.server.bufferedBodyBytes == 0)
    }

    @Test("past the budget of all bodies a growing body is 503")
    func budgetGrowing() throws {
        var limits = HTTPLimits()
        limits.bodyBudget = 200_000
        let fixture = try Fixture([sizeRoute(limit: 1_000_000)], limits: limits)
        let response = try fixture.connect()
            .chunkedRequest("PUT", "/size", body: patternBytes(300_000), chunkSize: 10_000)
        #expect(response.status == 503)
        #expect(response.header("Retry-After") == "1")
        #expect(fixture.server.bufferedBodyBytes == 0)
        #expect(fixture.server.statistics.refused[.bodyBudget] == 1)
    }

    @Test("a client that leaves in the middle of its body gives the budget back")
    func abandoned() throws {
        let fixture = try Fixture([sizeRoute(limit: 1_000_000)])
        let connection = try fixture.connect()
        try connection.sendRequest("PUT", "/size", headers: [("Expect", "100-continue"), ("Content-Length", "60000")])
        #expect(try connection.readInterimStatus() == 100)
        connection.close(reset: true)
        #expect(fixture.server.stop(within: 10))
        #expect(fixture.server.bufferedBodyBytes == 0)
        #expect(fixture.server.statistics.requests.isEmpty)
        #expect(fixture.server.statistics.openConnections == 0)
    }
}
