import Glibc

/// A recording on disk.
enum RecordingFile {
    /// The words of the recording; nil when there is none. Read and not mapped, so that nobody can cut the file short
    /// under us; reading ends at `RecordingLayout.largestWords`.
    static func read(_ path: String) throws(RecorderProblem) -> (words: [UInt64], bytes: Int)? {
        // Not blocking, so that a pipe of this name cannot hold the start up.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw .system(step: "read", path: path, errorNumber: errno)
        }
        defer { Glibc.close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .foreign(path: path)
        }
        let bytes = min(Int(status.st_size), RecordingLayout.largestWords * RecordingLayout.wordBytes)
        var words = [UInt64](repeating: 0, count: (bytes + 7) / 8)
        var length = 0
        while length < bytes {
            // Safety: at most the bytes of the array from `length` on are written.
            let count = unsafe words.withUnsafeMutableBytes {
                unsafe pread(file, $0.baseAddress?.advanced(by: length), bytes - length, length)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(step: "read", path: path, errorNumber: errno) }
            if count == 0 { break }
            length += count
        }
        return (words, Int(status.st_size) == bytes ? length : Int(status.st_size))
    }
}
