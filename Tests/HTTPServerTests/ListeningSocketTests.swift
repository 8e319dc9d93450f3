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
        #expect(parsed.place == .tcp(host: host, port: port))
        #expect(parsed.description == text)
    }

    private static let broken: [(String, String)] = [
        ("unix:", "no path"),
        ("unix:a?mode=9", "after the path may stand ?mode= with an octal mode such as 0660"),
        ("unix:a?mode=01777", "after the path may stand ?mode= with an octal mode such as 0660"),
        ("unix:a?umask=0", "after the path may stand ?mode= with an octal mode such as 0660"),
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

    @Test("a unix socket is served with the mode that was asked for, and its file goes with the server")
    func unixSocket() throws {
        let path = temporaryPath()
        let socket = try ListeningSocket.bind(ListenAddress("unix:\(path)?mode=0606"))
        #expect(socket.boundAddress == "unix:\(path)")
        #expect(fileMode(path) == S_IFSOCK | 0o606)
        let server = try HTTPServer(name: "test", sockets: [socket], handler: Self.peerRouter())
        #expect(try HTTPConnection(unixPath: path).request("GET", "/").text == "peer \"\"")
        #expect(server.stop(within: 1))
        #expect(fileMode(path) == nil)
    }

    @Test("a stale socket file is taken over, a live one is not, and other files stay")
    func staleFile() throws {
        let path = temporaryPath()
        defer { _ = unsafe unlink(path) }
        // Bound, and closed without its file being removed.
        var first: ListeningSocket? = try ListeningSocket.bind(ListenAddress("unix:\(path)"))
        let live = #expect(throws: HTTPServerError.self) { try ListeningSocket.bind(ListenAddress("unix:\(path)")) }
        #expect(live?.description == "cannot listen on unix:\(path): address already in use (errno 98)")
        #expect(unsafe rename(path, path + ".moved") == 0)
        first = nil
        #expect(first == nil)
        #expect(unsafe rename(path + ".moved", path) == 0)
        #expect(fileMode(path) != nil)
        let second = try ListeningSocket.bind(ListenAddress("unix:\(path)"))
        second.close()
        #expect(fileMode(path) == nil)

        let file = unsafe open(path, O_CREAT | O_WRONLY, 0o600)
        #expect(file >= 0)
        _ = close(file)
        let other = #expect(throws: HTTPServerError.self) { try ListeningSocket.bind(ListenAddress("unix:\(path)")) }
        #expect(other?.description == "cannot listen on unix:\(path): file exists (errno 17)")
        #expect(fileMode(path) == S_IFREG | 0o600)
    }

    @Test("a path that is too long is an error, not cut short")
    func longPath() {
        let path = "/" + String(repeating: "a", count: 107)
        let error = #expect(throws: HTTPServerError.self) { try ListenAddress("unix:\(path)") }
        #expect(error?.description.hasSuffix("the path is 108 bytes long; a unix socket's is at most 107") == true)
    }

    @Test("IPv6 is served, and the address is written in brackets")
    func ipv6() throws {
        let socket = try ListeningSocket.bind(ListenAddress("[::1]:0"))
        #expect(socket.boundAddress == "[::1]:\(socket.port)")
        let server = try HTTPServer(name: "test", sockets: [socket], handler: Self.peerRouter())
        defer { server.stop(within: 1) }
        #expect(try HTTPClient.request("GET", "/", host: "::1", port: socket.port).text == "peer \"::1\"")
    }

    @Test("a descriptor that is no listening socket is not adopted")
    func adoption() throws {
        let pair = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { _ = close(pair) }
        let error = #expect(throws: HTTPServerError.self) { try ListeningSocket.adopt(pair, name: "socket \"web\"") }
        #expect(error?.description == "cannot listen on socket \"web\": invalid argument (errno 22)")
        let closed = #expect(throws: HTTPServerError.self) { try ListeningSocket.adopt(-1, name: "x") }
        #expect(closed?.errorNumber == EBADF)
    }

    private static func peerRouter() throws -> Router {
        try Router([Route(.get, "/", name: "peer") { request, _ in .text("peer \"\(request.peerAddress)\"") }])
    }

    private func temporaryPath() -> String { "/tmp/mapwatch-\(getpid())-\(UInt64.random(in: 0 ... .max)).sock" }

    private func fileMode(_ path: String) -> mode_t? {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status.st_mode : nil
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
