import Glibc

/// One GET without TLS, for commands that ask a daemon on this machine or in this network.
///
/// HTTP/1.0, so that the answer ends with the connection and is never in chunks. No redirects, no proxies.
enum PlainHTTP {
    private static let maximumBytes = 64 << 20
    private static let patienceSeconds = 10

    /// `url` is `http://HOST[:PORT]`, without a path.
    static func get(_ url: String, _ path: String) throws(CommandProblem) -> (status: Int, body: [UInt8]) {
        let (host, port) = try place(url)
        let descriptor = try connect(host, port, url)
        defer { close(descriptor) }
        try send(Array("GET \(path) HTTP/1.0\r\nHost: \(host):\(port)\r\n\r\n".utf8), to: descriptor, url)
        let answer = try receive(from: descriptor, url)
        let end = Array("\r\n\r\n".utf8)
        guard let head = answer.firstRange(of: end),
            let line = answer.prefix(head.lowerBound).split(separator: 0x0d).first,
            case let words = line.split(separator: 0x20), words.count >= 2,
            let status = Int(String(decoding: words[1], as: UTF8.self))
        else { throw CommandProblem(description: "\(url) did not answer as HTTP has it") }
        return (status, Array(answer[head.upperBound...]))
    }

    private static func place(_ url: String) throws(CommandProblem) -> (host: String, port: String) {
        guard url.hasPrefix("http://") else {
            throw CommandProblem(
                description:
                    "--url \"\(url)\" is not http://HOST:PORT; for TLS or a password use curl, which knows both")
        }
        let authority = url.dropFirst(7).prefix { $0 != "/" }
        let isBracketed = authority.hasPrefix("[")
        let host = isBracketed ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        let rest = authority.dropFirst(host.count + (isBracketed ? 2 : 0))
        let port = rest.isEmpty ? "80" : String(rest.dropFirst())
        guard !host.isEmpty, rest.isEmpty || rest.hasPrefix(":"), UInt16(port) != nil else {
            throw CommandProblem(description: "--url \"\(url)\" is not http://HOST:PORT")
        }
        return (String(host), port)
    }

    private static func connect(_ host: String, _ port: String, _ url: String) throws(CommandProblem) -> Int32 {
        do {
            return try TCPConnection.open(host, port: port, patienceSeconds: patienceSeconds)
        } catch {
            switch error {
            case .unknownHost(let reason): throw CommandProblem(description: "cannot find \(host): \(reason)")
            case .unreachable(let number):
                throw problem(
                    "cannot reach \(url)", number, "; is mapwatch serving there? --storage.path reads a directory")
            }
        }
    }

    private static func send(_ bytes: [UInt8], to descriptor: Int32, _ url: String) throws(CommandProblem) {
        // Safety: the call reads exactly the bytes of the array; so few of them always fit into an empty socket.
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, 0) }
        guard count == bytes.count else { throw problem("cannot ask \(url)", errno) }
    }

    private static func receive(from descriptor: Int32, _ url: String) throws(CommandProblem) -> [UInt8] {
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while answer.count < maximumBytes {
            // Safety: at most `chunk.count` bytes are written into the array's own storage.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw problem("\(url) did not answer", errno) }
            if count == 0 { break }
            answer += chunk[..<count]
        }
        return answer
    }

    private static func problem(_ what: String, _ number: Int32, _ more: String = "") -> CommandProblem {
        CommandProblem(
            description: "\(what): \(TCPConnection.text(number)) (errno \(number))\(more)")
    }
}
