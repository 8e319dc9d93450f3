import Glibc

// The outside world that `@main` hands to everything below: clocks, stderr, files, the limit of descriptors.

/// What only the operating system can say or do.
enum System {
    /// Seconds since 1970.
    static func secondsSince1970() -> Double {
        var time = timespec()
        // Safety: the call only writes the local `time`.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Now in UTC with milliseconds: `2026-03-01T12:00:00.000Z`.
    static func timestamp() -> String {
        var time = timespec()
        var parts = unsafe tm()
        var text = [UInt8](repeating: 0, count: 32)
        // Safety: each call writes only to the local it is given; `text` has room for the 19 bytes and their end.
        let count = unsafe text.withUnsafeMutableBytes { buffer in
            unsafe clock_gettime(CLOCK_REALTIME, &time)
            unsafe gmtime_r(&time.tv_sec, &parts)
            return unsafe strftime(buffer.baseAddress, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
        }
        let milliseconds = String(1000 + time.tv_nsec / 1_000_000).dropFirst()
        return "\(String(decoding: text[..<count], as: UTF8.self)).\(milliseconds)Z"
    }

    /// Writes one line to stderr. What stderr does not take is lost: a full pipe must not stop the service for good.
    static func writeToStandardError(_ line: [UInt8]) {
        // Safety: the call reads exactly the bytes of the array.
        _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// Raises the soft limit of descriptors to the hard one: each connection takes one.
    static func raiseDescriptorLimit() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(resource, &limit)
    }

    /// A file at the limit of its size is an error where it is written to, and no signal.
    static func ignoreFileSizeSignal() { _ = signal(SIGXFSZ, SIG_IGN) }

    /// How many descriptors the process may have open.
    static func descriptorLimit() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        return Int(clamping: limit.rlim_cur)
    }

    static var processID: Int32 { getpid() }

    static func environment(_ name: String) -> String? {
        // Safety: the text is copied before anybody could change the environment; nothing here ever does.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// The text of a file; throws with the path and the errno's text.
    static func readFile(_ path: String) throws(FileError) -> String {
        guard let file = unsafe fopen(path, "re") else { throw FileError(path: path, errorNumber: errno) }
        defer { unsafe _ = fclose(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            // Safety: at most `chunk.count` bytes are written into the array's own storage.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
            content += chunk[..<count]
            guard count < chunk.count else { continue }
            // A directory opens and then fails to be read.
            guard unsafe ferror(file) == 0 else { throw FileError(path: path, errorNumber: errno) }
            return String(decoding: content, as: UTF8.self)
        }
    }
}

/// A file that could not be read.
struct FileError: Error, CustomStringConvertible {
    let path: String
    let errorNumber: Int32

    var description: String {
        "cannot read \(path): \(unsafe String(cString: strerror(errorNumber)).lowercased()) (errno \(errorNumber))"
    }
}
