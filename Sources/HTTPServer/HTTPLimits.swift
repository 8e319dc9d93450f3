/// The bounds of one server; each has a default that suits a small service.
public struct HTTPLimits: Sendable {
    /// Threads per listening socket.
    public var workers = 2
    /// Connections of the server; further ones are answered 503 with Retry-After.
    public var connections = 4096
    /// Connections of one address (of one /64 for IPv6), further ones as above; 0 for no limit. 127.0.0.1 and ::1 have none.
    public var connectionsPerAddress = 1024
    /// Seconds from the accepted connection, or from a later request's line, to the end of the head.
    public var headSeconds = 5.0
    /// Seconds for a body, beside the time that its bytes may take.
    public var bodySeconds = 5.0
    /// Seconds for the client to take a response, beside the time that its bytes may take.
    public var responseSeconds = 5.0
    /// The rate in bytes per second below which a client is too slow, for bodies and responses.
    public var minimumBytesPerSecond = 16 * 1024.0
    /// Seconds without a request after which a connection is closed.
    public var idleSeconds = 120.0
    /// Bytes that the kernel holds of a response (it takes them twice, for its own needs); nil for the system's default.
    ///
    /// Small, so that a client which leaves in the middle of a large response is noticed.
    public var sendBuffer: Int?
    /// Bytes for the head of one request.
    public var connectionMemory = 32 * 1024
    /// Bytes past a route's limit that are read and thrown away, so that the client gets to read its 413.
    public var drainAllowance = 4 * 1024 * 1024
    /// Bytes of request bodies held at one time, over all connections of the server.
    public var bodyBudget = 256 * 1024 * 1024

    public init() {}
}
