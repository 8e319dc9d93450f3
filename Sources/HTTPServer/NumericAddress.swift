// libmicrohttpd's header brings the socket types along; which of the two modules the compiler finds them in depends on
// how it is run (whole module or not), so both are imported.
import CMicrohttpd
import Glibc

/// A socket address as text.
///
/// An IPv4 peer of a dual-stack socket is written as IPv4, so that one client has one name on every listener.
struct NumericAddress {
    let host: String
    let port: UInt16

    /// Reads an IPv4 or IPv6 address; nil for other families.
    ///
    /// Safety: `address` points to a whole socket address of the family that its first field names.
    @unsafe
    init?(_ address: UnsafePointer<sockaddr>) {
        let family = unsafe Int32(address.pointee.sa_family)
        let length: Int
        switch family {
        case AF_INET: length = MemoryLayout<sockaddr_in>.size
        case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        var host: [CChar] = Array(repeating: 0, count: Int(NI_MAXHOST))
        var service: [CChar] = Array(repeating: 0, count: Int(NI_MAXSERV))
        // Safety: getnameinfo reads `length` bytes of `address` and writes within the two buffers, ended with 0; the
        // flags keep it off the network.
        let status = unsafe getnameinfo(
            address, socklen_t(length), &host, socklen_t(host.count), &service, socklen_t(service.count),
            NI_NUMERICHOST | NI_NUMERICSERV)
        guard status == 0, let port = UInt16(textUpToNUL(service)) else { return nil }
        let written = textUpToNUL(host)
        let mapped = "::ffff:"
        let isMapped = written.hasPrefix(mapped) && written.contains(".")
        self.host = isMapped ? String(written.dropFirst(mapped.count)) : written
        self.port = port
    }
}
