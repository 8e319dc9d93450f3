// One libmicrohttpd daemon, and how it is ended.
//
// Why not `MHD_quiesce_daemon`: it takes the listening descriptor out of a worker's epoll set while the worker may do
// so itself; the one that comes second finds nothing there and aborts the process (seen with 0.9.75: "Failed to remove
// listen FD from epoll set", four of four runs under strace). Instead the socket is shut down, so that the kernel
// refuses, and then replaced under its number by a descriptor that never becomes readable: the number stays taken,
// libmicrohttpd keeps what it believes, and its threads sleep.
//
// Bounds: a worker at its connection limit takes the descriptor out too, so near the limit the replacement is left
// away. Then the workers spin on the dead socket until the drain ends; they serve all the same.

import CMicrohttpd
import Glibc
import Synchronization

/// One libmicrohttpd daemon on one listening socket.
///
/// Safety: libmicrohttpd's calls on a daemon are safe from any thread while it lives. It is stopped once, which joins
/// its threads; until then this object keeps `core` alive, to which the callbacks hold a plain pointer.
@safe
final class Daemon: @unchecked Sendable {
    let socket: ListeningSocket
    private let core: ServerCore
    private let handle: OpaquePointer
    private let isQuiesced = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)

    init(socket: ListeningSocket, core: ServerCore) throws(HTTPServerError) {
        self.socket = socket
        self.core = core
        let limits = core.limits
        // Safety: see the type; the options are read during the call.
        var options = unsafe cmhd_options()
        unsafe options.listen_fd = socket.descriptor
        unsafe options.workers = UInt32(clamping: limits.workers)
        // Divided among the workers, each of which may come to have nearly all connections. Never reached: the server's
        // own limit is met first.
        unsafe options.connection_limit = UInt32(clamping: limits.workers * Self.connectionsPerWorker(limits))
        unsafe options.connection_memory = max(limits.connectionMemory, 4096)
        // Every session is given the credentials in force when it begins; these only make libmicrohttpd speak TLS.
        // Safety: `strdup` copies texts that end with 0; they are freed after the start, which copies what it keeps.
        var texts: [UnsafeMutablePointer<CChar>?] = unsafe []
        if let tls = core.access.settings.tls {
            for text in [tls.certificate, tls.key, Array(tls.priority.utf8)] {
                unsafe texts.append(strdup(String(decoding: text, as: UTF8.self)))
            }
            unsafe options.tls_certificate = UnsafePointer(texts[0])
            unsafe options.tls_key = UnsafePointer(texts[1])
            unsafe options.tls_priority = UnsafePointer(texts[2])
        }
        defer { for index in unsafe texts.indices { unsafe free(texts[index]) } }
        unsafe options.context = Unmanaged.passUnretained(core).toOpaque()
        unsafe options.access = requestReceived
        unsafe options.completed = requestCompleted
        unsafe options.notify_connection = connectionNotified
        unsafe options.uri_logger = uriReceived
        guard let handle = unsafe cmhd_start(&options) else {
            throw .cannotStart(on: socket.boundAddress, errorNumber: errno)
        }
        unsafe self.handle = handle
    }

    /// Accepts no more connections; those that are open go on.
    func quiesce() {
        guard !isQuiesced.exchange(true, ordering: .acquiringAndReleasing) else { return }
        socket.refuseConnections()
        // Each worker may have up to ten accepted connections in hand that are not counted yet.
        let limits = core.limits
        let possible = core.statistics.openConnections + 10 * limits.workers
        if possible < Self.connectionsPerWorker(limits) {
            socket.silence()
        }
    }

    private static func connectionsPerWorker(_ limits: HTTPLimits) -> Int {
        limits.connections + 2 * ConnectionTable.reserve
    }

    /// Ends the threads and every connection, and closes the listening socket. Waits for running handlers.
    func stop() {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        quiesce()
        socket.disown()
        // Safety: see the type; `isStopped` makes this the only stop. It closes the listening descriptor, once.
        unsafe MHD_stop_daemon(handle)
    }

    deinit { stop() }
}
