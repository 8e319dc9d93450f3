/// The bounds of one server; each has a default that suits a small service.
public struct HTTPLimits: Sendable {
    /// Threads per listening socket.
    public var workers = 2
    /// Connections per listening socket; libmicrohttpd divides them among the workers and accepts no more.
    public var connections = 1000
    /// Seconds without traffic after which a connection is closed; 0 for never.
    public var inactivityTimeout = 60
    /// Bytes for the head of one request.
    public var connectionMemory = 32 * 1024
    /// Bytes past a route's limit that are read and thrown away, so that the client gets to read its 413.
    public var drainAllowance = 4 * 1024 * 1024
    /// Bytes of request bodies held at one time, over all connections of the server.
    public var bodyBudget = 256 * 1024 * 1024

    public init() {}
}
