import Glibc
import InstrumentedMaps

// Why our own: a replay needs one verb at a time over plain HTTP to a daemon of this very program, with the connection kept.
// URLSession brings libcurl, AsyncHTTPClient brings NIO and BoringSSL into a daemon that has no other use for them.

/// One connection to a daemon, kept open between requests; a call blocks until the answer is there. One caller at a time.
final class ReplayConnection {
    struct Answer: Sendable {
        let status: Int
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    private let address: DaemonAddress
    private var socket: Int32 = -1
    private var buffer: [UInt8] = []

    init(_ address: DaemonAddress) { self.address = address }

    deinit { disconnect() }

    /// Sends a request and reads its answer; a kept connection that the daemon has closed meanwhile is opened once more.
    func request(_ method: String, _ path: String, _ body: [UInt8] = []) throws(ReplayFailure) -> Answer {
        let isFresh = socket < 0
        do {
            return try exchange(method, path, body)
        } catch {
            disconnect()
            if isFresh { throw error }
            return try exchange(method, path, body)
        }
    }

    private func exchange(_ method: String, _ path: String, _ body: [UInt8]) throws(ReplayFailure) -> Answer {
        if socket < 0 { try connect() }
        let head =
            "\(method) \(path) HTTP/1.1\r\nHost: \(address.text)\r\nUser-Agent: mapwatch-replay\r\n"
            + (Caller.current.name.map { "X-Mapwatch-Caller: \($0)\r\n" } ?? "")
            + "Content-Length: \(body.count)\r\n\r\n"
        try send(Array(head.utf8) + body)
        buffer.removeAll(keepingCapacity: true)
        var end: Int?
        while true {
            if let end = end ?? endOfHead() {
                let head = String(decoding: buffer[..<end], as: UTF8.self)
                let length = ReplayConnection.header("content-length", in: head).flatMap { Int($0) } ?? 0
                while buffer.count < end + length { try receive() }
                let answer = Answer(
                    status: Int(head.dropFirst(9).prefix(3)) ?? 0, body: Array(buffer[end..<end + length]))
                if ReplayConnection.header("connection", in: head)?.lowercased() == "close" { disconnect() }
                return answer
            }
            try receive()
            end = endOfHead()
        }
    }

    /// Where the body begins.
    private func endOfHead() -> Int? {
        guard buffer.count >= 4 else { return nil }
        return (4...buffer.count).first { end in
            buffer[end - 4] == 13 && buffer[end - 3] == 10 && buffer[end - 2] == 13 && buffer[end - 1] == 10
        }
    }

    private static func header(_ name: String, in head: String) -> String? {
        for line in head.split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == name else { continue }
            return String(parts[1].drop { $0 == " " })
        }
        return nil
    }

    private func connect() throws(ReplayFailure) {
        do {
            socket = try TCPConnection.open(address.host, port: "\(address.port)")
        } catch {
            switch error {
            case .unknownHost(let reason): throw address.failure(reason)
            case .unreachable(let number): throw address.failure(TCPConnection.text(number))
            }
        }
        var on: Int32 = 1
        // Safety: the call reads the local that it is given.
        _ = unsafe setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    private func disconnect() {
        if socket >= 0 { close(socket) }
        socket = -1
    }

    private func send(_ bytes: [UInt8]) throws(ReplayFailure) {
        var sent = 0
        while sent < bytes.count {
            // Safety: reads at most what is left of the array.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    socket, buffer.baseAddress?.advanced(by: sent), buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw address.failure("the connection was lost while sending") }
            sent += count
        }
    }

    private func receive() throws(ReplayFailure) {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        // Safety: writes at most the array's own bytes.
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { throw address.failure("the connection was closed before the answer was complete") }
        buffer += chunk[..<count]
    }
}

/// Where a daemon listens, from a URL such as `http://127.0.0.1:10198`.
struct DaemonAddress: Sendable, Equatable {
    let host: String
    let port: Int
    /// What stands behind the port, `/` when nothing does.
    let path: String

    init(url: String) throws(ReplayFailure) {
        let scheme = "http://"
        guard url.hasPrefix(scheme) else {
            throw ReplayFailure("\"\(url)\" is no address such as http://127.0.0.1:10198 (TLS is not spoken here)")
        }
        let rest = url.dropFirst(scheme.count)
        let place = rest.prefix { $0 != "/" }
        guard let colon = place.lastIndex(of: ":"), let port = Int(place[place.index(after: colon)...]),
            (1...65535).contains(port), colon > place.startIndex
        else { throw ReplayFailure("\"\(url)\" names no host and port, such as http://127.0.0.1:10198") }
        host = place[..<colon].filter { !"[]".contains($0) }
        self.port = port
        path = rest.count > place.count ? String(rest.dropFirst(place.count)) : "/"
    }

    /// As a Host header has it.
    var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    func failure(_ reason: String) -> ReplayFailure { ReplayFailure("http://\(text): \(reason)") }
}

/// Why a replay could not go on.
struct ReplayFailure: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
