// Stands between libmicrohttpd, which is lenient, and the handlers: a head that could be read in two ways goes no
// further.
//
// Bounds: it looks at the method, the raw target, the version and the header lines, before a byte of the body. What
// it refuses it answers with `Connection: close`, because where the next request begins is then in doubt.
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
    let peerAddress: String
}

enum RequestGuard {
    /// Turns the raw head into a request head, or throws the answer.
    static func check(_ raw: RawHead) throws(Refusal) -> HTTPRequestHead {
        try checkVersion(raw)
        let target = try parseTarget(raw.target)
        guard isToken(raw.method), raw.method.utf8.count <= 32 else {
            throw .badRequest("the method is not a token of at most 32 characters")
        }
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

    private static func checkVersion(_ raw: RawHead) throws(Refusal) {
        switch raw.version {
        case "HTTP/1.1":
            let hosts = raw.headers.all("Host").count
            guard hosts == 1 else { throw .badRequest("\(hosts) Host headers in an HTTP/1.1 request, not 1") }
        case "HTTP/1.0":
            guard raw.headers.all("Host").count <= 1 else { throw .badRequest("more than 1 Host header") }
        default:
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
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
