// Stands between libmicrohttpd, which is lenient, and the handlers: a head that could be read in two ways goes no
// further.
//
// Bounds: it looks at the method, the raw target, the version and the header lines, before a byte of the body. What
// it refuses it answers with `Connection: close`, because where the next request begins is then in doubt; for the same
// reason every request in chunks ends its connection, since chunks are parsed where nobody looks.
// `Content-Length` with other than digits is refused by libmicrohttpd already; it is checked here again, since the
// size decides what is reserved.

/// A refusal by the server itself.
struct Refusal: Error {
    let reason: RefusalReason
    let response: HTTPResponse

    static func badRequest(_ detail: String) -> Refusal {
        Refusal(reason: .badRequest, response: .problem(400, "Bad Request", detail))
    }
}

/// The head as libmicrohttpd handed it over.
struct RawHead {
    let method: String
    let target: [UInt8]
    let version: String
    let headers: HTTPHeaders
    /// Whether the head held these pieces and nothing else; see `HeadLayout`.
    let isExact: Bool
    let peerAddress: String
}

enum RequestGuard {
    static let maximumHeaders = 100

    /// Turns the raw head into a request head, or throws the answer.
    static func check(_ raw: RawHead) throws(Refusal) -> HTTPRequestHead {
        try checkVersion(raw.version)
        let target = try parseTarget(raw.target)
        guard isToken(raw.method), raw.method.utf8.count <= 32 else {
            throw .badRequest("the method is not a token of at most 32 characters")
        }
        guard raw.isExact else {
            throw .badRequest(
                "the head is not lines that end in CR LF: it has a bare line feed, a folded line, a NUL, or spaces "
                    + "where none may stand")
        }
        try checkLines(raw.headers)
        try checkHost(raw)
        let isChunked = try checkTransferEncoding(raw)
        let contentLength = try checkContentLength(raw.headers)
        if isChunked, contentLength != nil {
            throw .badRequest("Transfer-Encoding and Content-Length in one request")
        }
        for expectation in raw.headers.all("Expect") where !equalsIgnoringCase(expectation, "100-continue") {
            throw .badRequest("Expect may only be 100-continue")
        }
        return HTTPRequestHead(
            method: HTTPMethod(raw.method), target: target, headers: raw.headers, peerAddress: raw.peerAddress,
            contentLength: contentLength, isChunked: isChunked)
    }

    private static func checkVersion(_ version: String) throws(Refusal) {
        guard version == "HTTP/1.1" || version == "HTTP/1.0" else {
            throw Refusal(
                reason: .unsupportedVersion,
                response: .problem(505, "HTTP Version Not Supported", "only HTTP/1.0 and HTTP/1.1 are spoken here"))
        }
    }

    private static func parseTarget(_ bytes: [UInt8]) throws(Refusal) -> RequestTarget {
        do {
            return try RequestTarget(parsing: bytes)
        } catch {
            switch error {
            case .tooLong(let limit):
                throw Refusal(
                    reason: .uriTooLong,
                    response: .problem(414, "URI Too Long", "the target is over the limit of \(limit) bytes"))
            case .notOriginForm:
                throw .badRequest("the target does not start with a slash")
            case .forbiddenByte(let byte, let offset):
                throw .badRequest("byte \(byte) at offset \(offset) of the target must be percent-encoded")
            case .invalidEscape(let offset):
                throw .badRequest("the % at offset \(offset) of the target is not followed by two hex digits")
            case .tooManyQueryItems(let limit):
                throw .badRequest("the query has over \(limit) items")
            }
        }
    }

    /// Names are tokens, values hold no control bytes, and nothing merely begins as a header of framing does.
    private static func checkLines(_ headers: HTTPHeaders) throws(Refusal) {
        guard headers.count <= maximumHeaders else {
            throw Refusal(
                reason: .tooManyHeaders,
                response: .problem(
                    431, "Request Header Fields Too Large",
                    "\(headers.count) header lines are over the limit of \(maximumHeaders)"))
        }
        for line in headers {
            guard isToken(line.name) else { throw .badRequest("the name of a header line is not a token") }
            guard line.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
                throw .badRequest("the value of \(line.name) holds a control byte")
            }
            for framing in ["Content-Length", "Transfer-Encoding"]
            where line.name.utf8.count > framing.utf8.count
                && equalsIgnoringCase(String(line.name.prefix(framing.count)), framing)
            {
                throw .badRequest("header \(line.name) could be taken for \(framing)")
            }
        }
    }

    private static func checkHost(_ raw: RawHead) throws(Refusal) {
        let hosts = raw.headers.all("Host")
        if raw.version == "HTTP/1.0", hosts.isEmpty { return }
        guard let host = hosts.first, hosts.count == 1 else {
            throw .badRequest("\(hosts.count) Host headers in an \(raw.version) request, not 1")
        }
        guard isAuthority(host) else { throw .badRequest("Host is not a host name or address with at most a port") }
    }

    private static func checkTransferEncoding(_ raw: RawHead) throws(Refusal) -> Bool {
        let encodings = raw.headers.all("Transfer-Encoding")
        guard let encoding = encodings.first else { return false }
        guard encodings.count == 1, equalsIgnoringCase(encoding, "chunked") else {
            throw .badRequest("Transfer-Encoding may only be chunked, once")
        }
        guard raw.version == "HTTP/1.1" else { throw .badRequest("Transfer-Encoding in an HTTP/1.0 request") }
        return true
    }

    private static func checkContentLength(_ headers: HTTPHeaders) throws(Refusal) -> Int? {
        let lengths = headers.all("Content-Length")
        guard let length = lengths.first else { return nil }
        guard lengths.count == 1 else { throw .badRequest("\(lengths.count) Content-Length headers, not 1") }
        guard !length.isEmpty, length.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let count = Int(length) else {
            throw .badRequest("Content-Length is not a number of bytes")
        }
        return count
    }

    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isAlphanumeric($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    /// `name`, `name:port`, `1.2.3.4:port` or `[::1]:port`; no user, no list, no space.
    private static func isAuthority(_ text: String) -> Bool {
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "[") {
            guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let address = rest[rest.index(after: rest.startIndex)..<end]
            guard !address.isEmpty, address.allSatisfy({ isAlphanumeric($0) || ":.".utf8.contains($0) }) else {
                return false
            }
            rest = rest[rest.index(after: end)...]
        } else {
            let name = rest.prefix { isAlphanumeric($0) || "-._~".utf8.contains($0) }
            guard !name.isEmpty, name.count <= 255 else { return false }
            rest = rest[name.endIndex...]
        }
        if rest.isEmpty { return true }
        guard rest.first == UInt8(ascii: ":") else { return false }
        let port = rest.dropFirst()
        return port.count <= 5 && port.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: false
        }
    }
}
