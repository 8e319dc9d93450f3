/// Why the server itself, not a handler, refused a request.
public enum RefusalReason: String, Sendable, CaseIterable {
    /// The head is malformed or can be read in two ways: 400.
    case badRequest = "bad_request"
    /// The target is over 8 KiB: 414.
    case uriTooLong = "uri_too_long"
    /// Over 100 header lines: 431.
    case tooManyHeaders = "too_many_headers"
    /// The body is over its route's limit: 413, or the end of the connection when the client sends on and on.
    case bodyTooLarge = "body_too_large"
    /// The server holds as many bytes of bodies as it may: 503.
    case bodyBudget = "body_budget"
    /// More connections than the server takes: 503.
    case connectionLimit = "connection_limit"
    /// More connections than one address may have: 503.
    case addressLimit = "address_limit"
    /// The head was not whole in time; the connection was closed, as in the three that follow.
    case headTimeout = "head_timeout"
    /// The body came too slowly.
    case bodyTimeout = "body_timeout"
    /// The response was taken too slowly.
    case responseTimeout = "response_timeout"
    /// Nothing was asked for.
    case idleTimeout = "idle_timeout"
    /// No user and password, or wrong ones: 401.
    case unauthorized
    /// Too many wrong passwords: 429.
    case tooManyAttempts = "too_many_attempts"
    /// HTTP neither 1.0 nor 1.1: 505.
    case unsupportedVersion = "unsupported_version"
}

/// A handler's label and a status code.
public struct RequestLabels: Sendable, Hashable {
    public let handler: String
    public let status: Int

    public init(handler: String, status: Int) {
        self.handler = handler
        self.status = status
    }
}

/// What a server has counted since it started; a snapshot.
public struct HTTPStatistics: Sendable {
    /// Connections that are open now.
    public var openConnections = 0
    /// Connections accepted.
    public var acceptedConnections: UInt64 = 0
    /// Requests that have begun and not ended.
    public var requestsInFlight = 0
    /// Requests that were answered, sent to the end or not.
    public var requests: [RequestLabels: UInt64] = [:]
    /// How long these took, from the request line to the last byte handed to the kernel.
    public var durations = RequestDurations()
    /// Requests and connections that the server refused; every reason is present.
    public var refused = Dictionary(uniqueKeysWithValues: RefusalReason.allCases.map { ($0, UInt64(0)) })
}

/// One request that has ended with an answer.
public struct FinishedRequest: Sendable {
    /// The route's name; "none" where no route matched.
    public let handler: String
    public let status: Int
    /// From the request line to the last byte handed to the kernel.
    public let nanoseconds: UInt64
    public let completion: ResponseCompletion
}

/// Called on a thread of the server after each answered request; must not block.
public typealias RequestObserver = @Sendable (FinishedRequest) -> Void
