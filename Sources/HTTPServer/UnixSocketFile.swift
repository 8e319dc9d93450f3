// The file of a unix socket: made with its mode, taken over when nobody listens on it any more, removed at the end.
//
// A socket file outlives its process, and `bind` refuses one that is there. So the file is asked first: only a socket
// to which nobody answers is removed; whatever else is there stays, and is an error. The mode is set on the socket before
// the file exists, so that there is no moment in which others could connect; after, for the bits that the umask took.

import CMicrohttpd
import Glibc

/// A unix socket's file that this process has made.
struct UnixSocketFile: Sendable {
    let path: String
    private let device: UInt
    private let inode: UInt

    /// Binds `descriptor` to `path`; gives the errno where that fails.
    static func bind(_ descriptor: Int32, to path: String, mode: UInt32?) -> Result<UnixSocketFile, SystemError> {
        if let error = removeStale(path) { return .failure(error) }
        if let mode { _ = fchmod(descriptor, mode) }
        guard unsafe call(Glibc.bind, descriptor, path) == 0 else { return .failure(SystemError(number: errno)) }
        if let mode, unsafe chmod(path, mode) != 0 { return .failure(SystemError(number: errno)) }
        guard let status = status(path) else { return .failure(SystemError(number: errno)) }
        return .success(UnixSocketFile(path: path, device: UInt(status.st_dev), inode: UInt(status.st_ino)))
    }

    /// Removes the file, unless another has taken its place.
    func remove() {
        guard let status = Self.status(path), UInt(status.st_dev) == device, UInt(status.st_ino) == inode else {
            return
        }
        _ = unsafe unlink(path)
    }

    /// Removes a socket on which nobody listens; gives the error when something stays in the way.
    private static func removeStale(_ path: String) -> SystemError? {
        guard let status = status(path) else { return nil }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return SystemError(number: EEXIST) }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { return SystemError(number: errno) }
        defer { _ = close(probe) }
        guard unsafe call(connect, probe, path) != 0, errno == ECONNREFUSED else {
            return SystemError(number: EADDRINUSE)
        }
        return unsafe unlink(path) == 0 ? nil : SystemError(number: errno)
    }

    private static func status(_ path: String) -> stat? {
        var status = stat()
        // Safety: the call writes the local that it is given.
        return unsafe lstat(path, &status) == 0 ? status : nil
    }

    /// `bind` or `connect` with the address of `path`, which is short enough.
    private static func call(
        _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ descriptor: Int32, _ path: String
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // Safety: `path` and its NUL fit into `sun_path`, which was zero, and the struct outlives the call.
        return unsafe withUnsafeMutableBytes(of: &address) { raw in
            let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
            for (index, byte) in path.utf8.enumerated() where start + index < raw.count - 1 {
                unsafe raw[start + index] = byte
            }
            guard let base = raw.baseAddress else { return -1 }
            return unsafe function(descriptor, base.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
        }
    }
}
