// A bound, listening socket, made here and not by libmicrohttpd.
//
// Why: so that a bind error is ours, with address and errno in its text; so that port 0 can be asked for and its
// number read back before a request is served; and so that sockets from elsewhere (unix, inherited) can join through
// the same door, since libmicrohttpd takes any listening descriptor.
//
// Bounds: backlog 1024 (the kernel caps it at net.core.somaxconn). One socket per address: of several addresses of
// `localhost` the IPv4 one is taken. ":port" is one dual-stack socket where the machine has IPv6, else IPv4 alone.
// Rejected: resolving names (a listener must not wait for DNS), SO_REUSEPORT (two daemons would share a port in
// silence).

import CMicrohttpd
import Glibc
import Synchronization

/// A listening socket that an `HTTPServer` takes over.
///
/// Safe to share among threads. The descriptor is closed once: when the server that took it over stops, else by
/// `close()` or with the last reference.
public final class ListeningSocket: Sendable {
    /// The address as bound, numeric, with the port that the kernel chose: "127.0.0.1:43121", "[::1]:10197", or
    /// "unix:/run/mapwatch.sock".
    public let boundAddress: String
    /// The port as bound; 0 for a unix socket.
    public let port: UInt16
    let descriptor: Int32
    /// The file of a unix socket that was made here.
    private let file: UnixSocketFile?
    private let isClosed = Atomic<Bool>(false)

    private init(descriptor: Int32, boundAddress: String, port: UInt16, file: UnixSocketFile? = nil) {
        self.descriptor = descriptor
        self.boundAddress = boundAddress
        self.port = port
        self.file = file
    }

    deinit { close() }

    /// Takes over a descriptor that somebody else has bound, as a socket unit of systemd does; `name` stands in errors.
    ///
    /// Throws `HTTPServerError` of kind `cannotListen` when it is no listening stream socket.
    public static func adopt(_ descriptor: Int32, name: String) throws(HTTPServerError) -> ListeningSocket {
        guard let type = option(descriptor, SO_TYPE) else { throw .cannotListen(on: name, errorNumber: errno) }
        guard type == Int32(SOCK_STREAM.rawValue), option(descriptor, SO_ACCEPTCONN) == 1 else {
            throw .cannotListen(on: name, errorNumber: EINVAL)
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        let bound = boundName(of: descriptor) ?? (name, 0)
        return ListeningSocket(descriptor: descriptor, boundAddress: bound.0, port: bound.1)
    }

    /// Binds and listens; non-blocking, close-on-exec, SO_REUSEADDR, backlog 1024.
    ///
    /// Throws `HTTPServerError` of kind `cannotListen` with the errno, or `invalidAddress` when the host is neither
    /// numeric nor `localhost`. The file of a unix socket on which nobody listens any more is replaced, and removed when
    /// the listening ends.
    public static func bind(_ address: ListenAddress) throws(HTTPServerError) -> ListeningSocket {
        switch address.place {
        case .tcp(let host, let port): try bind(host, port, address)
        case .unix(let path, let mode): try bind(path, mode, address)
        }
    }

    private static func bind(
        _ path: String, _ mode: UInt32?, _ address: ListenAddress
    ) throws(HTTPServerError) -> ListeningSocket {
        let descriptor = socket(AF_UNIX, streamType, 0)
        guard descriptor >= 0 else { throw .cannotListen(on: address.description, errorNumber: errno) }
        switch UnixSocketFile.bind(descriptor, to: path, mode: mode) {
        case .success(let file):
            let bound = ListeningSocket(descriptor: descriptor, boundAddress: "unix:\(path)", port: 0, file: file)
            guard Glibc.listen(descriptor, 1024) == 0 else {
                throw .cannotListen(on: address.description, errorNumber: errno)
            }
            return bound
        case .failure(let error):
            _ = Glibc.close(descriptor)
            throw .cannotListen(on: address.description, errorNumber: error.number)
        }
    }

    private static func bind(
        _ host: String?, _ port: UInt16, _ address: ListenAddress
    ) throws(HTTPServerError) -> ListeningSocket {
        var failure: Int32 = EADDRNOTAVAIL
        for candidate in try resolve(host, port, of: address) {
            switch listen(on: candidate) {
            case .success(let descriptor):
                let bound = boundName(of: descriptor) ?? (address.description, port)
                return ListeningSocket(descriptor: descriptor, boundAddress: bound.0, port: bound.1)
            case .failure(let error):
                failure = error.number
                // Without IPv6 the dual-stack candidate fails with one of these, and IPv4 is tried.
                guard failure == EAFNOSUPPORT || failure == EADDRNOTAVAIL else { break }
            }
        }
        throw .cannotListen(on: address.description, errorNumber: failure)
    }

    /// Sets what the kernel holds of each connection's outgoing bytes; accepted sockets inherit it.
    func setSendBuffer(_ bytes: Int) {
        setOption(descriptor, SOL_SOCKET, SO_SNDBUF, Int32(clamping: bytes))
    }

    /// Stops listening: from now on the kernel refuses connections, and resets those that nobody accepted.
    func refuseConnections() {
        guard !isClosed.load(ordering: .acquiring) else { return }
        file?.remove()
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Puts a descriptor that never becomes readable in the place of the socket, under the same number.
    ///
    /// A socket that was shut down is readable for ever, and a thread that waits for it would spin. The kernel drops the
    /// socket from the epoll sets that it was in.
    func silence() {
        guard !isClosed.load(ordering: .acquiring) else { return }
        // A datagram socket without a name: nobody can send to it, and unlike a pipe it needs no other end.
        let quiet = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard quiet >= 0 else { return }
        _ = dup2(quiet, descriptor)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = Glibc.close(quiet)
    }

    /// Leaves the closing to somebody else.
    func disown() {
        isClosed.store(true, ordering: .releasing)
    }

    /// Closes the descriptor; further calls do nothing.
    public func close() {
        if !isClosed.exchange(true, ordering: .acquiringAndReleasing) {
            file?.remove()
            _ = Glibc.close(descriptor)
        }
    }
}

/// Non-blocking and close-on-exec.
private let streamType = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)

/// A system call's errno.
struct SystemError: Error {
    let number: Int32
}

/// One address to try, with the socket family it wants.
private struct Candidate {
    let family: Int32
    let isDualStack: Bool
    let bytes: [UInt8]
}

/// Addresses to try in order; never asks a name server.
private func resolve(
    _ host: String?, _ port: UInt16, of address: ListenAddress
) throws(HTTPServerError) -> [Candidate] {
    guard let host else {
        return candidates("::", port: port, isDualStack: true) + candidates("0.0.0.0", port: port)
    }
    if host == "localhost" {
        return candidates("127.0.0.1", port: port) + candidates("::1", port: port)
    }
    let found = candidates(host, port: port)
    if found.isEmpty {
        throw .invalidAddress(address.description, because: "the host is neither a numeric address nor localhost")
    }
    return found
}

private func candidates(_ host: String, port: UInt16, isDualStack: Bool = false) -> [Candidate] {
    var hints = unsafe addrinfo()
    // Safety: `hints` is a plain C struct filled in place; AI_NUMERICHOST keeps getaddrinfo off the network.
    unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host, String(port), &hints, &list) == 0 else { return [] }
    // Safety: getaddrinfo returned 0, so `list` is a chain of valid nodes that we free once, after the last read.
    defer { unsafe freeaddrinfo(list) }
    var found: [Candidate] = []
    var node = unsafe list
    while let entry = unsafe node {
        // Safety: `ai_addr` points to `ai_addrlen` bytes that live until freeaddrinfo.
        let bytes = unsafe UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
        unsafe found.append(
            Candidate(family: entry.pointee.ai_family, isDualStack: isDualStack, bytes: Array(bytes)))
        unsafe node = entry.pointee.ai_next
    }
    return found
}

private func listen(on candidate: Candidate) -> Result<Int32, SystemError> {
    let descriptor = socket(candidate.family, streamType, 0)
    guard descriptor >= 0 else { return .failure(SystemError(number: errno)) }
    setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    if candidate.family == AF_INET6 {
        setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, candidate.isDualStack ? 0 : 1)
    }
    // Safety: the bytes are a whole sockaddr of their family, as getaddrinfo wrote it, and bind only reads them.
    let bound = unsafe candidate.bytes.withUnsafeBytes { raw -> Int32 in
        guard let base = raw.baseAddress else { return -1 }
        return unsafe Glibc.bind(descriptor, base.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
    }
    guard bound == 0, Glibc.listen(descriptor, 1024) == 0 else {
        let number = errno
        _ = Glibc.close(descriptor)
        return .failure(SystemError(number: number))
    }
    return .success(descriptor)
}

private func option(_ descriptor: Int32, _ option: Int32) -> Int32? {
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    // Safety: getsockopt writes at most the four bytes of `value`.
    return unsafe getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : nil
}

private func setOption(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    // Safety: setsockopt reads the four bytes of `value` during the call.
    _ = unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
}

private func boundName(of descriptor: Int32) -> (String, UInt16)? {
    // Safety: getsockname writes at most `length` bytes into `storage`, which is large enough for every family.
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let name = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> NumericAddress? in
            guard unsafe getsockname(descriptor, address, &length) == 0 else { return nil }
            return unsafe NumericAddress(address)
        }
    }
    if name == nil, storage.ss_family == sa_family_t(AF_UNIX) {
        let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        // Safety: the kernel wrote `length` bytes, of which the path is what follows the family, up to its NUL.
        let path = unsafe withUnsafeBytes(of: &storage) { raw in
            unsafe String(decoding: raw[start..<max(start, Int(length))].prefix { $0 != 0 }, as: UTF8.self)
        }
        return ("unix:\(path)", 0)
    }
    guard let name else { return nil }
    return (name.host.contains(":") ? "[\(name.host)]:\(name.port)" : "\(name.host):\(name.port)", name.port)
}
