import Glibc
import TestSupport
import Testing

@testable import HTTPServer

@Suite("Completion and drain")
struct EndingTests {
    /// A route of a large body that notes how its sending ended.
    private func largeRoute(_ size: Int, into completions: Monitor<[ResponseCompletion]>) -> Route {
        Route(.get, "/large", name: "large") { _, _ in
            var response = HTTPResponse.bytes(
                Array(repeating: 0x61, count: size), contentType: "application/octet-stream")
            response.onCompletion = { completion in completions.withLock { $0.append(completion) } }
            return response
        }
    }

    @Test("a response that was read is reported as sent", arguments: [0, 1, 2_000_000])
    func sent(size: Int) throws {
        let completions = Monitor<[ResponseCompletion]>([])
        let fixture = try Fixture([largeRoute(size, into: completions)])
        #expect(try fixture.connect().request("GET", "/large").body.count == size)
        #expect(fixture.waitForFinished(1).first?.completion == .sent)
        #expect(completions.withLock { $0 } == [.sent])
    }

    @Test("a client that closes in the middle of a large body makes it aborted")
    func aborted() throws {
        let completions = Monitor<[ResponseCompletion]>([])
        let fixture = try Fixture([largeRoute(16 << 20, into: completions)])
        let connection = try fixture.connect(receiveBuffer: 4096)
        try connection.sendRequest("GET", "/large")
        try connection.skip(1000)
        #expect(completions.withLock { $0.isEmpty })
        connection.close()
        #expect(fixture.waitForFinished(1).first?.completion == .aborted)
        #expect(completions.withLock { $0 } == [.aborted])
    }

    @Test("a request in flight at stop is answered, new connections are refused")
    func drain() async throws {
        let entered = Monitor(false)
        let released = Monitor(false)
        let fixture = try Fixture([
            Route(.get, "/", name: "slow") { _, _ in
                entered.withLock { $0 = true }
                return .text(released.wait(until: inTenSeconds()) { $0 } ? "done" : "never released")
            }
        ])
        let idle = try fixture.connect()
        let connection = try fixture.connect()
        try connection.sendRequest("GET", "/")
        #expect(entered.wait(until: inTenSeconds()) { $0 })

        fixture.server.quiesce()
        #expect(throws: HTTPClientError.system("connect", ECONNREFUSED)) { _ = try fixture.connect() }
        async let isDrained = fixture.server.stop(within: 10)
        released.withLock { $0 = true }
        let response = try connection.readResponse()
        #expect(response.text == "done")
        #expect(response.header("Connection")?.lowercased() == "close")
        #expect(await isDrained)
        #expect(try idle.readToEnd().isEmpty)
        #expect(fixture.server.statistics.openConnections == 0)
    }

    @Test("a request that does not end is given up at the deadline, and stopping twice says the same")
    func deadline() throws {
        let fixture = try Fixture([sizeRoute(limit: 1000)])
        let connection = try fixture.connect()
        try connection.sendRequest("PUT", "/size", headers: [("Expect", "100-continue"), ("Content-Length", "10")])
        #expect(try connection.readInterimStatus() == 100)
        let began = monotonicNow()
        #expect(!fixture.server.stop(within: 0.2))
        #expect(monotonicNow() - began >= 200_000_000)
        #expect(!fixture.server.stop(within: 10))
        #expect(try connection.readToEnd().isEmpty)
        #expect(fixture.server.statistics.requestsInFlight == 0)
    }

    @Test("a server that is being used ends in order, far from its connection limit and at it", arguments: [1000, 8])
    func stopUnderLoad(limit: Int) throws {
        var limits = HTTPLimits()
        limits.connections = limit
        for _ in 0..<10 {
            let fixture = try Fixture([echoRoute()], limits: limits)
            let clients = ThreadGroup()
            for _ in 0..<3 {
                clients.start {
                    // Ends when a connection is refused, which only the stop can bring about.
                    while let connection = try? fixture.connect() {
                        for _ in 0..<3 { _ = try? connection.request("PUT", "/echo", body: [1, 2, 3]) }
                    }
                }
            }
            _ = fixture.waitForFinished(20)
            #expect(fixture.server.stop(within: 10))
            clients.join()
            #expect(fixture.server.statistics.openConnections == 0)
        }
    }

    @Test("the port is free again after stop")
    func portIsFree() throws {
        let fixture = try Fixture([sizeRoute(limit: 1)])
        #expect(try fixture.connect().request("PUT", "/size").status == 200)
        #expect(fixture.server.stop(within: 10))
        let again = try ListeningSocket.bind(ListenAddress("127.0.0.1:\(fixture.port)"))
        #expect(again.port == fixture.port)
    }
}
