/// A request's head, known before a byte of its body is read.
public struct HTTPRequestHead: Sendable {
    public let method: HTTPMethod
    public let target: RequestTarget
    public let headers: HTTPHeaders
    /// The client's numeric address without the port; "" where there is none.
    public let peerAddress: String
    /// The declared size of the body in bytes; nil when there is none or it is chunked.
    public let contentLength: Int?
    /// Whether the body comes in chunks, of unknown size.
    public let isChunked: Bool

    public init(
        method: HTTPMethod, target: RequestTarget, headers: HTTPHeaders = [], peerAddress: String = "",
        contentLength: Int? = nil, isChunked: Bool = false
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.peerAddress = peerAddress
        self.contentLength = contentLength
        self.isChunked = isChunked
    }

    /// Whether a body follows the head.
    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }
    /// Whether the client waits for an interim answer before it sends the body.
    var expectsContinue: Bool { headers.first("Expect") != nil }
}

/// A whole request: its head and its body, which is within the limit of its route.
public struct HTTPRequest: Sendable {
    public let head: HTTPRequestHead
    public let body: [UInt8]

    public init(head: HTTPRequestHead, body: [UInt8] = []) {
        self.head = head
        self.body = body
    }

    public var method: HTTPMethod { head.method }
    public var target: RequestTarget { head.target }
    public var headers: HTTPHeaders { head.headers }
    /// The client's numeric address without the port; "" where there is none.
    public var peerAddress: String { head.peerAddress }
}
