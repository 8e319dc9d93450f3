import Glibc

/// Reads what the kernel shows of this process; apart from the parsing, so that parsing can be tested on texts.
enum ProcFile {
    static func read(_ path: String) throws(ProcFileError) -> String {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .failed(path, errno) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            // Safety: the call writes at most `chunk.count` bytes into the array's own storage.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .failed(path, errno) }
            if count == 0 { return String(decoding: content, as: UTF8.self) }
            content += chunk[..<count]
        }
    }

    /// The number of entries of a directory of descriptors, without `.`, `..` and the descriptor that lists it.
    ///
    /// Linux 6.2 and newer say it as the directory's size. To list 7,000 takes 7 ms, of each scrape.
    static func entryCount(_ path: String) throws(ProcFileError) -> UInt64 {
        var status = stat()
        if unsafe stat(path, &status) == 0, status.st_size > 0 { return UInt64(status.st_size) }
        guard let directory = unsafe opendir(path) else { throw .failed(path, errno) }
        defer { unsafe _ = closedir(directory) }
        var count: UInt64 = 0
        while unsafe readdir(directory) != nil { count += 1 }
        return count - min(count, 3)
    }

    static func descriptorLimit() throws(ProcFileError) -> UInt64 {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw .failed("RLIMIT_NOFILE", errno)
        }
        return UInt64(limit.rlim_cur)
    }
}

/// Why the kernel's view of this process could not be had.
enum ProcFileError: Error, Equatable, CustomStringConvertible {
    case failed(String, Int32)
    case unreadable(String, String)

    var description: String {
        switch self {
        case .failed(let path, let code):
            "cannot read \(path): \(unsafe String(cString: strerror(code)).lowercased()) (errno \(code))"
        case .unreadable(let path, let why): "cannot read \(path): \(why)"
        }
    }
}
