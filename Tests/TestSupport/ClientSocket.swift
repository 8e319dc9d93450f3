import Glibc

/// A blocking TCP socket with timeouts; closes itself.
///
/// For one thread at a time.
final class ClientSocket {
    private var descriptor: Int32

    /// Connects to a numeric IPv4 or IPv6 address; a small `receiveBuffer` in bytes makes a slow reader.
    /// `source`, an IPv4 address of this machine, is where it then comes from.
    init(host: String, port: UInt16, timeoutSeconds: Int, receiveBuffer: Int32?, source: String? = nil)
        throws(HTTPClientError)
    {
        let isIPv6 = host.contains(":")
        descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system("socket", errno) }
        // Set before connecting, so that the window is small from the start.
        if let receiveBuffer { setOption(SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
        setOption(Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
        setOption(SOL_SOCKET, SO_RCVTIMEO, timeval(tv_sec: timeoutSeconds, tv_usec: 0))
        setOption(SOL_SOCKET, SO_SNDTIMEO, timeval(tv_sec: timeoutSeconds, tv_usec: 0))
        if let source { bind4(source) }
        let status = isIPv6 ? connect6(host, port) : connect4(host, port)
        guard status == 0 else {
            let number = errno
            close()
            throw .system("connect", number)
        }
    }

    /// Connects to a unix socket.
    init(path: String, timeoutSeconds: Int) throws(HTTPClientError) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system("socket", errno) }
        setOption(SOL_SOCKET, SO_RCVTIMEO, timeval(tv_sec: timeoutSeconds, tv_usec: 0))
        setOption(SOL_SOCKET, SO_SNDTIMEO, timeval(tv_sec: timeoutSeconds, tv_usec: 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // Safety: bytes are written within the struct, and its last one stays 0.
        unsafe withUnsafeMutableBytes(of: &address) { raw in
            let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
            for (index, byte) in path.utf8.enumerated() where start + index < raw.count - 1 {
                unsafe raw[start + index] = byte
            }
        }
        guard connect(&address) == 0 else {
            let number = errno
            close()
            throw .system("connect", number)
        }
    }

    deinit { close() }

    /// Closes; with `reset` the peer gets a reset, not an orderly end.
    func close(reset: Bool = false) {
        guard descriptor >= 0 else { return }
        if reset { setOption(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0)) }
        _ = Glibc.close(descriptor)
        descriptor = -1
    }

    /// Ends our side of the connection; the peer may still answer.
    func finishSending() {
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }

    func send(_ bytes: [UInt8]) throws(HTTPClientError) {
        var sent = 0
        while sent < bytes.count {
            // Safety: the pointer stays within `bytes` and is read during the call.
            let count = unsafe bytes.withUnsafeBytes { raw in
                unsafe Glibc.send(
                    descriptor, raw.baseAddress?.advanced(by: sent), raw.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw errno == EAGAIN ? .timedOut : .system("send", errno)
            }
            sent += count
        }
    }

    /// The next bytes, at most 64 KiB; none when the peer has closed.
    func receive() throws(HTTPClientError) -> [UInt8] {
        var buffer: [UInt8] = Array(repeating: 0, count: 64 * 1024)
        while true {
            // Safety: recv writes at most `buffer.count` bytes into `buffer`.
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            if count >= 0 { return Array(buffer[..<count]) }
            if errno == EINTR { continue }
            throw errno == EAGAIN ? .timedOut : .system("recv", errno)
        }
    }

    private func setOption<Value>(_ level: Int32, _ option: Int32, _ value: Value) {
        var value = value
        // Safety: setsockopt reads `value`, a plain C value, during the call.
        _ = unsafe withUnsafeBytes(of: &value) { raw in
            unsafe setsockopt(descriptor, level, option, raw.baseAddress, socklen_t(raw.count))
        }
    }

    private func bind4(_ host: String) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        _ = unsafe inet_pton(AF_INET, host, &address.sin_addr)
        // Safety: `address` is a whole socket address, and bind only reads it.
        unsafe withUnsafeBytes(of: &address) { raw in
            guard let base = raw.baseAddress else { return }
            _ = unsafe Glibc.bind(descriptor, base.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
        }
    }

    private func connect4(_ host: String, _ port: UInt16) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard unsafe inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return -1 }
        return connect(&address)
    }

    private func connect6(_ host: String, _ port: UInt16) -> Int32 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        guard unsafe inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else { return -1 }
        return connect(&address)
    }

    private func connect<Address>(_ address: inout Address) -> Int32 {
        // Safety: `address` is a whole socket address, and connect only reads it.
        unsafe withUnsafeBytes(of: &address) { raw -> Int32 in
            guard let base = raw.baseAddress else { return -1 }
            return unsafe Glibc.connect(
                descriptor, base.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
        }
    }
}
