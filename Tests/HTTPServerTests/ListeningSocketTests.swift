import Glibc
import HTTPServer
import TestSupport
import Testing

@Suite("Listening sockets")
struct ListeningSocketTests {
    private static let addresses: [(String, String?, UInt16)] = [
        ("127.0.0.1:10197", "127.0.0.1", 10197),
        ("[::1]:0", "::1", 0),
        (":10197", nil, 10197),
        ("localhost:65535", "localhost", 65535),
    ]

    @Test("an address is a host and a port", arguments: addresses)
    func address(text: String, host: String?, port: UInt16) throws {
        let parsed = try ListenAddress(text)
        #expect(parsed.host == host)
        #expect(parsed.port == port)
        #expect(parsed.description == text)
    }

    private static let broken: [(String, String)] = [
        ("host", "no port"),
        ("", "no port"),
        ("127.0.0.1:", "the port is not a number from 0 to 65535"),
        ("127.0.0.1:65536", "the port is not a number from 0 to 65535"),
        ("127.0.0.1:+1", "the port is not a number from 0 to 65535"),
        ("127.0.0.1:http", "the port is not a number from 0 to 65535"),
        ("::1:80", "an IPv6 address stands in brackets"),
        ("[::1:80", "an IPv6 address stands in brackets"),
        ("example.org:80", "the host is neither a numeric address nor localhost"),
        ("256.0.0.1:80", "the host is neither a numeric address nor localhost"),
    ]

    @Test("a broken address is an error that quotes it", arguments: broken)
    func brokenAddress(text: String, reason: String) {
        let error = #expect(throws: HTTPServerError.self) { try ListeningSocket.bind(ListenAddress(text)) }
        #expect(error?.description == "invalid listen address \"\(text)\": \(reason)")
        #expect(error?.kind == .invalidAddress)
    }

    @Test("port 0 is resolved to the port that the kernel chose", arguments: ["127.0.0.1:0", "localhost:0"])
    func freePort(text: String) throws {
        let socket = try ListeningSocket.bind(ListenAddress(text))
        #expect(socket.port != 0)
        #expect(socket.boundAddress == "127.0.0.1:\(socket.port)")
    }

    @Test("a taken port is an error with address and errno")
    func takenPort() throws {
        let first = try ListeningSocket.bind(ListenAddress("127.0.0.1:0"))
        let error = #expect(throws: HTTPServerError.self) {
            try ListeningSocket.bind(ListenAddress("127.0.0.1:\(first.port)"))
        }
        #expect(
            error?.description == "cannot listen on 127.0.0.1:\(first.port): address already in use (errno 98)")
        #expect(error?.errorNumber == EADDRINUSE)
        #expect(error?.kind == .cannotListen)
    }

    @Test("an address of another machine is an error with its errno")
    func foreignAddress() throws {
        let error = #expect(throws: HTTPServerError.self) {
            try ListeningSocket.bind(ListenAddress("192.0.2.1:0"))
        }
        #expect(error?.description == "cannot listen on 192.0.2.1:0: cannot assign requested address (errno 99)")
    }

    @Test("all interfaces are reached over IPv4, and the peer's address is written as IPv4")
    func allInterfaces() throws {
        let socket = try ListeningSocket.bind(ListenAddress(":0"))
        let router = try Router([Route(.get, "/", name: "peer") { request, _ in .text(request.peerAddress) }])
        let server = try HTTPServer(name: "test", sockets: [socket], handler: router)
        defer { server.stop(within: 1) }
        #expect(try HTTPClient.request("GET", "/", port: socket.port).text == "127.0.0.1")
    }
}
