/// How the sending of a response ended.
public enum ResponseCompletion: Sendable, Equatable {
    /// Every byte went to the kernel. It is not known whether the client read them.
    case sent
    /// The connection ended before that, or no response could be queued.
    case aborted
}

/// What a handler answers: a value, complete before the first byte is sent.
///
/// The server adds `Date`, `Content-Length` and `Connection`; lines of these names and of `Transfer-Encoding` that a
/// handler sets are left out. The body is copied once when it is handed over: libmicrohttpd reads it until the last
/// byte is sent, and Swift promises no stable address for an array outside of `withUnsafeBytes`. The price is one
/// memcpy, and the body twice in memory for a moment.
public struct HTTPResponse: Sendable {
    public var status: Int
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// Called once, on a thread of the server, when the sending has ended; must not block.
    public var onCompletion: (@Sendable (ResponseCompletion) -> Void)?

    public init(
        status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        onCompletion: (@Sendable (ResponseCompletion) -> Void)? = nil
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.onCompletion = onCompletion
    }

    /// UTF-8 text.
    public static func text(_ text: String, status: Int = 200) -> HTTPResponse {
        .bytes(Array(text.utf8), contentType: "text/plain; charset=utf-8", status: status)
    }

    /// Bytes of the given media type.
    public static func bytes(_ body: [UInt8], contentType: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, headers: [("Content-Type", contentType)], body: body)
    }

    /// No body.
    public static func empty(_ status: Int) -> HTTPResponse {
        HTTPResponse(status: status)
    }

    /// An `application/problem+json` (RFC 9457); `detail` says what was wrong with which value.
    ///
    /// `field` names the member of the request that was wrong, where there is one; `retryAfter` is in seconds.
    public static func problem(
        _ status: Int, _ title: String, _ detail: String, field: String? = nil, retryAfter: Int? = nil
    ) -> HTTPResponse {
        var body: [UInt8] = Array("{\"type\":\"about:blank\",\"title\":".utf8)
        body.appendJSONString(title)
        body.append(contentsOf: ",\"status\":\(status),\"detail\":".utf8)
        body.appendJSONString(detail)
        if let field {
            body.append(contentsOf: ",\"field\":".utf8)
            body.appendJSONString(field)
        }
        body.append(contentsOf: "}\n".utf8)
        var response = HTTPResponse.bytes(body, contentType: "application/problem+json", status: status)
        if let retryAfter {
            response.headers.append(("Retry-After", String(retryAfter)))
        }
        return response
    }
}
