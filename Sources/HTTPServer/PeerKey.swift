// libmicrohttpd's header brings the socket types along; see `NumericAddress`.
import CMicrohttpd
import Glibc

/// What connections of one client have in common: the IPv4 address, or the first 64 bits of the IPv6 address, which is
/// what one subscriber is given. An IPv4 peer of a dual-stack socket counts as IPv4.
struct PeerKey: Hashable, Sendable {
    private let isIPv6: Bool
    private let bits: UInt64
    /// 127.0.0.1 or ::1, from which whatever runs on this machine comes.
    let isLoopback: Bool

    /// Reads an address; nil for families without one, unix sockets for instance.
    ///
    /// Safety: `address` points to a whole socket address of the family that its first field names.
    @unsafe
    init?(_ address: UnsafePointer<sockaddr>) {
        switch unsafe Int32(address.pointee.sa_family) {
        case AF_INET:
            let bytes = unsafe UnsafeRawBufferPointer(start: address, count: MemoryLayout<sockaddr_in>.size)
            unsafe self.init(ipv4: bytes[4..<8].map { $0 })
        case AF_INET6:
            // Family and port, flow label, then sixteen bytes of address.
            let bytes = unsafe UnsafeRawBufferPointer(start: address, count: MemoryLayout<sockaddr_in6>.size)
            unsafe self.init(ipv6: bytes[8..<24].map { $0 })
        default:
            return nil
        }
    }

    init(ipv4 bytes: [UInt8]) {
        self.init(isIPv6: false, bits: bytes.reduce(0) { $0 << 8 | UInt64($1) }, isLoopback: bytes == [127, 0, 0, 1])
    }

    init(ipv6 bytes: [UInt8]) {
        if bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 0xff, bytes[11] == 0xff {
            self.init(ipv4: Array(bytes[12...]))
        } else {
            self.init(
                isIPv6: true, bits: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
                isLoopback: bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1)
        }
    }

    private init(isIPv6: Bool, bits: UInt64, isLoopback: Bool) {
        self.isIPv6 = isIPv6
        self.bits = bits
        self.isLoopback = isLoopback
    }
}
