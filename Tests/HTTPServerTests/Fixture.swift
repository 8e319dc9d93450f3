import TestSupport
import Testing

@testable import HTTPServer

/// A server on a free port of the loopback address, with the routes that the tests ask for.
final class Fixture: Sendable {
    let server: HTTPServer
    let port: UInt16
    /// What the observer was told.
    let finished = Monitor<[FinishedRequest]>([])

    init(
        _ routes: [Route], limits: HTTPLimits = HTTPLimits(), clock: (@Sendable () -> UInt64)? = nil,
        address: String = "127.0.0.1:0", access: AccessControl? = nil, openPaths: Set<String> = []
    ) throws {
        let socket = try ListeningSocket.bind(ListenAddress(address))
        let finished = finished
        port = socket.port
        server = try HTTPServer(
            name: "test", sockets: [socket], limits: limits, handler: try Router(routes), access: access,
            openPaths: openPaths,
            observer: { request in finished.withLock { $0.append(request) } }, clock: clock)
    }

    deinit { server.stop(within: 1) }

    func connect(receiveBuffer: Int32? = nil) throws -> HTTPConnection {
        try HTTPConnection(port: port, receiveBuffer: receiveBuffer)
    }

    /// Sends bytes on a connection of their own and reads one response.
    func exchange(_ bytes: String) throws -> HTTPClientResponse {
        let connection = try connect()
        try connection.send(bytes)
        return try connection.readResponse()
    }

    /// Waits for that many finished requests, at most ten seconds.
    func waitForFinished(_ count: Int) -> [FinishedRequest] {
        #expect(finished.wait(until: inTenSeconds()) { $0.count >= count })
        return finished.withLock { $0 }
    }
}

/// A route that answers with the size of the body that it was given.
func sizeRoute(limit: Int) -> Route {
    Route(.put, "/size", name: "size", bodyLimit: limit) { request, _ in .text("\(request.body.count)") }
}

/// A route that answers with the body that it was given.
func echoRoute(limit: Int = 1 << 20) -> Route {
    Route(.put, "/echo", name: "echo", bodyLimit: limit) { request, _ in
        .bytes(request.body, contentType: "application/octet-stream")
    }
}

func inTenSeconds() -> UInt64 {
    monotonicNow() + 10_000_000_000
}

/// Bytes that repeat only after a while, so that a shifted body is not equal to itself.
func patternBytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}
