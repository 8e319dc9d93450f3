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
        unsafe options.connection_limit = UInt32(clamping: max(limits.connections, limits.workers))
        unsafe options.inactivity_seconds = UInt32(clamping: limits.inactivityTimeout)
        unsafe options.connection_memory = max(limits.connectionMemory, 4096)
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
        // Safety: see the type. The descriptor stays open until the threads have ended, as libmicrohttpd wants it;
        // shutting it down makes the kernel refuse instead of letting clients wait in the backlog.
        _ = unsafe MHD_quiesce_daemon(handle)
        socket.refuseConnections()
    }

    /// Ends the threads and every connection, then closes the listening socket. Waits for running handlers.
    func stop() {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        quiesce()
        // Safety: see the type; `isStopped` makes this the only stop.
        unsafe MHD_stop_daemon(handle)
        socket.close()
    }

    deinit { stop() }
}
