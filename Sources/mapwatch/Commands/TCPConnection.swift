import Glibc

/// Opens connections to daemons, for commands that ask one.
enum TCPConnection {
    enum Failure: Error, Equatable {
        /// The host's name is not known, in the resolver's words.
        case unknownHost(String)
        /// No address of the host answers; the last one's error number.
        case unreachable(Int32)
    }

    /// Connects to the first address of `host` that answers, and returns a descriptor that the caller closes. With
    /// `patienceSeconds` no call on it waits for longer.
    static func open(_ host: String, port: String, patienceSeconds: Int? = nil) throws(Failure) -> Int32 {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, port, &hints, &first)
        guard status == 0 else { throw .unknownHost(unsafe String(cString: gai_strerror(status)).lowercased()) }
        // Safety: the list is ours until it is freed, and walked by its own links.
        defer { unsafe freeaddrinfo(first) }
        var errorNumber: Int32 = 0
        var next = unsafe first
        while let address = unsafe next {
            unsafe next = address.pointee.ai_next
            let descriptor = unsafe socket(
                address.pointee.ai_family, address.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else {
                errorNumber = errno
                continue
            }
            if let patienceSeconds { setPatience(patienceSeconds, of: descriptor) }
            if unsafe connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 {
                return descriptor
            }
            errorNumber = errno
            close(descriptor)
        }
        throw .unreachable(errorNumber)
    }

    /// An error number in the system's words.
    static func text(_ errorNumber: Int32) -> String { unsafe String(cString: strerror(errorNumber)).lowercased() }

    private static func setPatience(_ seconds: Int, of descriptor: Int32) {
        var patience = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            // Safety: the call reads the local that it is given.
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
    }
}
