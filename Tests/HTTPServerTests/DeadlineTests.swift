import TestSupport
import Testing

@testable import HTTPServer

/// A clock that stands still until it is moved.
private final class HandClock: Sendable {
    private let nanoseconds = Monitor<UInt64>(1_000_000_000_000)

    func advance(seconds: Double) { nanoseconds.withLock { $0 += UInt64(seconds * 1e9) } }

    var now: @Sendable () -> UInt64 { { self.nanoseconds.withLock { $0 } } }
}

@Suite("Deadlines")
struct DeadlineTests {
    private let clock = HandClock()

    private func fixture(_ limits: HTTPLimits = HTTPLimits(), body: Int = 0) throws -> Fixture {
        try Fixture(
            [
                echoRoute(),
                Route(.get, "/", name: "index") { _, _ in
                    .bytes(Array(repeating: 0x61, count: body), contentType: "text/plain")
                },
            ], limits: limits, clock: clock.now)
    }

    /// Whether the server ends the connection; the client's own timeout is ten seconds.
    private func isEnded(_ connection: HTTPConnection) -> Bool {
        (try? connection.readToEnd()) != nil
    }

    @Test("a head that is not whole after 5 s ends its connection, however many bytes drip in", arguments: [0, 1, 30])
    func head(drips: Int) throws {
        let fixture = try fixture()
        let connection = try fixture.connect()
        try connection.send("GET / HTTP/1.1\r\nX: ")
        #expect(eventually { fixture.server.statistics.openConnections == 1 })
        for _ in 0..<drips {
            clock.advance(seconds: 4.9 / Double(drips))
            try connection.send("a")
        }
        #expect(fixture.server.statistics.refused[.headTimeout] == 0)
        clock.advance(seconds: drips == 0 ? 5.1 : 0.2)
        #expect(isEnded(connection))
        #expect(fixture.server.statistics.refused[.headTimeout] == 1)
    }

    @Test("a connection that says nothing is ended after 5 s")
    func silence() throws {
        let fixture = try fixture()
        let connection = try fixture.connect()
        #expect(eventually { fixture.server.statistics.openConnections == 1 })
        clock.advance(seconds: 5.1)
        #expect(isEnded(connection))
        #expect(eventually { fixture.server.statistics.openConnections == 0 })
    }

    @Test("a body may take 5 s and what its bytes take at 16 KiB a second")
    func body() throws {
        let fixture = try fixture()
        let connection = try fixture.connect()
        try connection.sendRequest("PUT", "/echo", headers: [("Expect", "100-continue"), ("Content-Length", "100000")])
        #expect(try connection.readInterimStatus() == 100)
        try connection.send(Array(repeating: 0x61, count: 64 * 1024))
        #expect(eventually { fixture.server.bufferedBodyBytes > 0 })
        clock.advance(seconds: 4)
        try connection.send(Array(repeating: 0x61, count: 100_000 - 64 * 1024))
        #expect(try connection.readResponse().body.count == 100_000)

        try connection.sendRequest("PUT", "/echo", headers: [("Expect", "100-continue"), ("Content-Length", "100000")])
        #expect(try connection.readInterimStatus() == 100)
        try connection.send("a")
        clock.advance(seconds: 5.1)
        #expect(isEnded(connection))
        #expect(fixture.server.statistics.refused[.bodyTimeout] == 1)
        #expect(eventually { fixture.server.bufferedBodyBytes == 0 })
    }

    @Test("a response that is not taken at 16 KiB a second ends its connection")
    func response() throws {
        let fixture = try fixture(body: 16 << 20)
        let connection = try fixture.connect(receiveBuffer: 4096)
        try connection.sendRequest("GET", "/")
        try connection.skip(1000)
        clock.advance(seconds: 5 + 1023)
        #expect(fixture.server.statistics.refused[.responseTimeout] == 0)
        clock.advance(seconds: 2)
        #expect(fixture.waitForFinished(1).first?.completion == .aborted)
        #expect(fixture.server.statistics.refused[.responseTimeout] == 1)
    }

    @Test("an idle connection is kept for 120 s, each request anew")
    func idle() throws {
        let fixture = try fixture()
        let connection = try fixture.connect()
        for _ in 0..<3 {
            #expect(try connection.request("GET", "/").status == 200)
            _ = fixture.waitForFinished(1)
            clock.advance(seconds: 119)
        }
        #expect(try connection.request("GET", "/").status == 200)
        _ = fixture.waitForFinished(4)
        clock.advance(seconds: 121)
        #expect(isEnded(connection))
        #expect(fixture.server.statistics.refused[.idleTimeout] == 1)
    }

    @Test("a client that closes its side after its answer is let go, though libmicrohttpd does not notice")
    func halfClosed() throws {
        let fixture = try Fixture([echoRoute()])
        let connection = try fixture.connect()
        try connection.sendRequest("PUT", "/echo", body: [0x61])
        connection.finishSending()
        #expect(try connection.readResponse().status == 200)
        #expect(isEnded(connection))
        #expect(fixture.server.statistics.refused[.idleTimeout] == 0)
    }

    @Test("a next head that drips into a kept-open connection has to end like the first")
    func drippingNext() throws {
        var limits = HTTPLimits()
        limits.headSeconds = 0.5
        let fixture = try Fixture([echoRoute()], limits: limits)
        let connection = try fixture.connect()
        #expect(try connection.request("PUT", "/echo", body: [0x61]).status == 200)
        // Past the kernel's tick, which a byte that comes at once would hide behind.
        #expect(!fixture.finished.wait(until: monotonicNow() + 100_000_000) { $0.count > 1 })
        try connection.send("G")
        #expect(isEnded(connection))
        #expect(fixture.server.statistics.refused[.headTimeout] == 1)
        #expect(fixture.server.statistics.refused[.idleTimeout] == 0)
    }

    @Test("the handler's own time is not the client's")
    func slowHandler() throws {
        let clock = clock
        let fixture = try Fixture(
            [
                Route(.get, "/", name: "slow") { _, _ in
                    clock.advance(seconds: 1000)
                    return .text("done")
                }
            ], clock: clock.now)
        #expect(try fixture.connect().request("GET", "/").text == "done")
    }
}

@Suite("Connection limits")
struct ConnectionLimitTests {
    private func fixture(connections: Int = 4096, perAddress: Int = 1024, on address: String = "127.0.0.1:0") throws
        -> Fixture
    {
        var limits = HTTPLimits()
        limits.connections = connections
        limits.connectionsPerAddress = perAddress
        return try Fixture([echoRoute()], limits: limits, address: address)
    }

    @Test("one connection too many is answered 503 with Retry-After, and let in once another has gone")
    func limit() throws {
        let fixture = try fixture(connections: 3)
        let connections = try (0..<3).map { _ in try fixture.connect() }
        for connection in connections { #expect(try connection.request("PUT", "/echo", body: [1]).status == 200) }
        let excess = try fixture.connect()
        let answer = try excess.request("PUT", "/echo", body: [1])
        #expect(answer.status == 503)
        #expect(answer.header("Retry-After") == "1")
        #expect(answer.text.contains("as many connections as this listener takes"))
        #expect((try? excess.readToEnd()) == [])
        #expect(fixture.server.statistics.refused[.connectionLimit] == 1)
        // Who was let in is served all the same.
        #expect(try connections[0].request("PUT", "/echo", body: [1]).status == 200)
        connections[1].close()
        #expect(eventually { fixture.server.statistics.openConnections == 2 })
        #expect(try fixture.connect().request("PUT", "/echo", body: [1]).status == 200)
    }

    @Test("a silent connection over the limit is ended after a second, past the reserve at once")
    func reserve() throws {
        let fixture = try fixture(connections: 1)
        let first = try fixture.connect()
        #expect(try first.request("PUT", "/echo", body: [1]).status == 200)
        let excess = try (0..<(ConnectionTable.reserve + 44)).map { _ in try fixture.connect() }
        for connection in excess { #expect((try? connection.readToEnd()) == []) }
        #expect(eventually { fixture.server.statistics.openConnections == 1 })
        #expect(fixture.server.statistics.refused[.connectionLimit] == UInt64(excess.count))
        #expect(try first.request("PUT", "/echo", body: [1]).status == 200)
    }

    @Test("an address has its own limit, which loopback is free of")
    func perAddress() throws {
        let fixture = try fixture(perAddress: 2, on: ":0")
        let connections = try (0..<3).map { _ in
            try HTTPConnection(host: "127.0.0.1", port: fixture.port, source: "127.0.0.2")
        }
        let statuses = try connections.map { try $0.request("PUT", "/echo", body: [1]).status }
        #expect(statuses.sorted() == [200, 200, 503])
        #expect(fixture.server.statistics.refused[.addressLimit] == 1)
        let local = try (0..<5).map { _ in try fixture.connect() }
        for connection in local { #expect(try connection.request("PUT", "/echo", body: [1]).status == 200) }
    }

    private static let keys: [([UInt8], [UInt8], Bool)] = [
        ([192, 0, 2, 1], [192, 0, 2, 1], true),
        ([192, 0, 2, 1], [192, 0, 2, 2], false),
        ([0x20, 1, 0xd, 0xb8] + zeros(11) + [1], [0x20, 1, 0xd, 0xb8] + zeros(11) + [2], true),
        ([0x20, 1, 0xd, 0xb8] + zeros(12), [0x20, 1, 0xd, 0xb9] + zeros(12), false),
        (zeros(10) + [0xff, 0xff, 192, 0, 2, 1], [192, 0, 2, 1], true),
        (zeros(4), zeros(16), false),
    ]

    private static func zeros(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }

    @Test("an IPv6 client is its /64, and a mapped IPv4 client is IPv4", arguments: keys)
    func key(one: [UInt8], other: [UInt8], isSame: Bool) {
        func key(_ bytes: [UInt8]) -> PeerKey { bytes.count == 4 ? PeerKey(ipv4: bytes) : PeerKey(ipv6: bytes) }
        #expect((key(one) == key(other)) == isSame)
    }

    @Test("loopback is 127.0.0.1 and ::1 only")
    func loopback() {
        #expect(PeerKey(ipv4: [127, 0, 0, 1]).isLoopback)
        #expect(!PeerKey(ipv4: [127, 0, 0, 2]).isLoopback)
        #expect(PeerKey(ipv6: Self.zeros(15) + [1]).isLoopback)
        #expect(!PeerKey(ipv6: Self.zeros(16)).isLoopback)
    }
}
