// The server: one libmicrohttpd daemon per listening socket, one handler, one set of limits.
//
// Why libmicrohttpd: no Foundation and no event loop of our own, a few hundred KiB of memory, epoll with a small pool
// of threads. Why one daemon per socket: it takes one listening descriptor, and a flood on one address must leave the
// others serving.
//
// Ending, in this order: stop accepting, let requests in flight be answered (each with `Connection: close`), then end
// the threads and with them idle connections, then close the descriptors.

import Synchronization

/// An HTTP/1.1 server; it serves from the moment it exists.
///
/// All methods are safe from any thread but the server's own: `stop` from within a handler would wait for itself.
public final class HTTPServer: Sendable {
    /// For labels and log lines: "metrics", "data".
    public let name: String
    /// The addresses as bound, in the order of the sockets.
    public let boundAddresses: [String]
    private let core: ServerCore
    private let daemons: [Daemon]
    private let reaper: Reaper
    /// Whether the drain at `stop` was complete; nil before. Held while stopping, so that a second caller waits.
    private let outcome = Mutex<Bool?>(nil)

    /// Takes the sockets over and starts serving; throws `HTTPServerError` of kind `cannotStart`.
    ///
    /// A failure stops what was started and closes the sockets. `clock` gives nanoseconds, the monotonic clock's unless
    /// another is handed in, and is what deadlines are measured with. `access` says who may ask, for all but `openPaths`.
    public init(
        name: String, sockets: [ListeningSocket], limits: HTTPLimits = HTTPLimits(), handler: any HTTPHandler,
        access: AccessControl? = nil, openPaths: Set<String> = [], observer: RequestObserver? = nil,
        clock: (@Sendable () -> UInt64)? = nil
    ) throws(HTTPServerError) {
        let access = if let access { access } else { try AccessControl() }
        let core = ServerCore(
            handler: handler, access: access, openPaths: openPaths, limits: limits,
            now: clock ?? monotonicNow, observer: observer)
        var daemons: [Daemon] = []
        for socket in sockets {
            if let bytes = limits.sendBuffer { socket.setSendBuffer(bytes) }
            do {
                daemons.append(try Daemon(socket: socket, core: core))
            } catch {
                daemons.forEach { $0.stop() }
                sockets.forEach { $0.close() }
                throw error
            }
        }
        self.name = name
        self.boundAddresses = sockets.map(\.boundAddress)
        self.core = core
        self.daemons = daemons
        reaper = Reaper(core: core)
        reaper.start()
    }

    /// Connections over the limit that are kept, beside those within it, until they have been told so.
    public static var refusalReserve: Int { ConnectionTable.reserve }

    deinit { stop(within: 0) }

    /// "https" when it speaks TLS, else "http".
    public var scheme: String { core.access.tls == nil ? "http" : "https" }

    /// What the server has counted; takes the counters' lock for a copy of a small table.
    public var statistics: HTTPStatistics { core.statistics }

    /// The limits it was made with.
    public var limits: HTTPLimits { core.limits }

    /// Bytes of request bodies held now.
    public var bufferedBodyBytes: Int { core.budget.reserved }

    /// Refuses new connections from now on; open ones go on, and each answer ends its own.
    public func quiesce() {
        core.beginDraining()
        daemons.forEach { $0.quiesce() }
    }

    /// Drains for at most `seconds`, then ends the server; says whether every request in flight was answered.
    ///
    /// A handler that is still running past the deadline is waited for: a thread cannot be ended from outside.
    /// Further calls wait for the first and return its result.
    @discardableResult
    public func stop(within seconds: Double) -> Bool {
        outcome.withLock { outcome in
            if let outcome { return outcome }
            quiesce()
            let bounded = max(0, min(seconds, 1e9))
            let isIdle = core.waitUntilIdle(deadline: monotonicNow() + UInt64(bounded * 1e9))
            reaper.stop()
            daemons.forEach { $0.stop() }
            outcome = isIdle
            return isIdle
        }
    }
}
