import Glibc
import TestSupport

/// The socket of a service manager, as systemd listens on one: datagrams, at a path or under an abstract name.
///
/// One thread reads.
final class NotificationSocket {
    /// As it stands in `NOTIFY_SOCKET`.
    let name: String
    private let descriptor: Int32

    init(_ name: String) throws {
        self.name = name
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        let bytes = name.hasPrefix("@") ? [0] + Array(name.utf8.dropFirst()) : Array(name.utf8)
        let descriptor = descriptor
        // Safety: both values are read for their lengths during the calls, and the name is short.
        let status = unsafe withUnsafeMutableBytes(of: &address) { raw in
            for (index, byte) in bytes.enumerated() { unsafe raw[2 + index] = byte }
            unsafe setsockopt(
                descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            return unsafe raw.baseAddress.map {
                unsafe bind(descriptor, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(2 + bytes.count))
            }
        }
        guard status == 0 else { throw ChildProblem(description: "cannot bind \(name): errno \(errno)") }
    }

    deinit { close(descriptor) }

    /// The lines of the next message; throws when none comes within a minute.
    func next() throws -> [String] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        // Safety: at most as many bytes are written as the buffer has.
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else { throw ChildProblem(description: "no message on \(name): errno \(errno)") }
        return String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
