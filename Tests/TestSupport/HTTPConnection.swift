// A small HTTP/1.1 client over one socket, for tests.
//
// Why our own: tests send what no proper client would send (two Content-Lengths, half a head, chunks without end), want
// the response byte for byte, and must not bring Foundation into the test process. It blocks, with a timeout, so that a
// server that does not answer fails a test instead of hanging it.
//
// Bounds: no TLS, no redirects, no pooling; a response is held in memory whole.

/// One keep-alive connection; for one thread at a time.
public final class HTTPConnection {
    private let socket: ClientSocket
    private let authority: String
    private var pending: [UInt8] = []

    /// Connects to a numeric address; the timeout holds for each send and each receive.
    ///
    /// `source` is the address to connect from; `receiveBuffer` (bytes) keeps the kernel from taking a large response off the server's hands.
    public init(
        host: String = "127.0.0.1", port: UInt16, timeoutSeconds: Int = 10, receiveBuffer: Int32? = nil,
        source: String? = nil
    ) throws(HTTPClientError) {
        socket = try ClientSocket(
            host: host, port: port, timeoutSeconds: timeoutSeconds, receiveBuffer: receiveBuffer, source: source)
        authority = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Connects to a unix socket.
    public init(unixPath: String, timeoutSeconds: Int = 10) throws(HTTPClientError) {
        socket = try ClientSocket(path: unixPath, timeoutSeconds: timeoutSeconds)
        authority = "localhost"
    }

    /// Sends bytes as they are.
    public func send(_ bytes: [UInt8]) throws(HTTPClientError) {
        try socket.send(bytes)
    }

    /// Sends text as it is; line ends are written out by the caller.
    public func send(_ text: String) throws(HTTPClientError) {
        try socket.send(Array(text.utf8))
    }

    /// Sends a head with `Host`, and `Content-Length` unless a framing header is given, and the body.
    public func sendRequest(
        _ method: String, _ target: String, headers: [(String, String)] = [], body: [UInt8] = []
    ) throws(HTTPClientError) {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: \(authority)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        let isFramed = headers.contains { ["content-length", "transfer-encoding"].contains($0.0.lowercased()) }
        if !isFramed, !body.isEmpty || method == "PUT" || method == "POST" {
            head += "Content-Length: \(body.count)\r\n"
        }
        try socket.send(Array(head.utf8) + Array("\r\n".utf8) + body)
    }

    /// Sends a request and reads its response.
    public func request(
        _ method: String, _ target: String, headers: [(String, String)] = [], body: [UInt8] = []
    ) throws(HTTPClientError) -> HTTPClientResponse {
        try sendRequest(method, target, headers: headers, body: body)
        return try readResponse(to: method)
    }

    /// Sends the body in chunks of `chunkSize` bytes, and reads the response.
    public func chunkedRequest(
        _ method: String, _ target: String, body: [UInt8], chunkSize: Int
    ) throws(HTTPClientError) -> HTTPClientResponse {
        try sendRequest(method, target, headers: [("Transfer-Encoding", "chunked")])
        var start = 0
        while start < body.count {
            let end = min(start + chunkSize, body.count)
            try sendChunk(Array(body[start..<end]))
            start = end
        }
        try send("0\r\n\r\n")
        return try readResponse(to: method)
    }

    /// Sends one chunk with its size and line ends; an empty one would end the body.
    public func sendChunk(_ bytes: [UInt8]) throws(HTTPClientError) {
        let size = String(bytes.count, radix: 16)
        try socket.send(Array("\(size)\r\n".utf8) + bytes + Array("\r\n".utf8))
    }

    /// Reads the response to a request of that method; interim (1xx) ones are skipped.
    public func readResponse(to method: String = "GET") throws(HTTPClientError) -> HTTPClientResponse {
        while true {
            let (status, headers) = try readHead()
            if (100..<200).contains(status) { continue }
            let body = try readBody(method: method, status: status, headers: headers)
            return HTTPClientResponse(status: status, headers: headers, body: body)
        }
    }

    /// Reads one head, interim ones too, and gives its status.
    public func readInterimStatus() throws(HTTPClientError) -> Int {
        try readHead().status
    }

    /// Reads until the peer closes; a reset counts as a close.
    public func readToEnd() throws(HTTPClientError) -> [UInt8] {
        do {
            while try fill() {}
        } catch {
            guard case .system = error else { throw error }
        }
        defer { pending = [] }
        return pending
    }

    /// Reads at least `count` bytes, of whatever they are, and throws them away.
    public func skip(_ count: Int) throws(HTTPClientError) {
        _ = try take(count)
    }

    /// Ends our side; the server may still answer.
    public func finishSending() {
        socket.finishSending()
    }

    /// Closes; with `reset` the server gets a reset, not an orderly end.
    public func close(reset: Bool = false) {
        socket.close(reset: reset)
    }

    private func readHead() throws(HTTPClientError) -> (status: Int, headers: [(name: String, value: String)]) {
        let statusLine = try readLine()
        let parts = statusLine.split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else {
            throw .malformed(statusLine)
        }
        var headers: [(name: String, value: String)] = []
        while true {
            let line = try readLine()
            if line.isEmpty { return (status, headers) }
            guard let colon = line.firstIndex(of: ":") else { throw .malformed(line) }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers.append((String(line[..<colon]), String(value)))
        }
    }

    private func readBody(
        method: String, status: Int, headers: [(name: String, value: String)]
    ) throws(HTTPClientError) -> [UInt8] {
        func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
        if method == "HEAD" || status == 204 || status == 304 { return [] }
        if header("transfer-encoding")?.lowercased() == "chunked" { return try readChunks() }
        if let length = header("content-length") {
            guard let count = Int(length) else { throw .malformed("Content-Length: \(length)") }
            return try take(count)
        }
        return try readToEnd()
    }

    private func readChunks() throws(HTTPClientError) -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = try readLine()
            guard let size = Int(line.prefix { $0 != ";" }, radix: 16) else { throw .malformed(line) }
            if size == 0 { break }
            body += try take(size)
            guard try readLine().isEmpty else { throw .malformed("a chunk without its line end") }
        }
        while try !readLine().isEmpty {}
        return body
    }

    private func readLine() throws(HTTPClientError) -> String {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = pending[..<end]
                let text = String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
                pending.removeSubrange(...end)
                return text
            }
            guard try fill() else { throw .closed(received: pending.count) }
        }
    }

    private func take(_ count: Int) throws(HTTPClientError) -> [UInt8] {
        while pending.count < count {
            guard try fill() else { throw .closed(received: pending.count) }
        }
        defer { pending.removeSubrange(..<count) }
        return Array(pending[..<count])
    }

    /// Receives some more; false when the peer has closed.
    private func fill() throws(HTTPClientError) -> Bool {
        let bytes = try socket.receive()
        pending += bytes
        return !bytes.isEmpty
    }
}

/// Requests that need a connection of their own only.
public enum HTTPClient {
    /// Connects, sends one request, reads its response and closes.
    public static func request(
        _ method: String, _ target: String, host: String = "127.0.0.1", port: UInt16,
        headers: [(String, String)] = [], body: [UInt8] = []
    ) throws(HTTPClientError) -> HTTPClientResponse {
        let connection = try HTTPConnection(host: host, port: port)
        defer { connection.close() }
        return try connection.request(method, target, headers: headers, body: body)
    }
}
