import Glibc

// The few calls that the recorder makes on files. Every one that fails says which, on what, and why.

/// The directory that holds the recording, locked against other processes until it is closed.
///
/// Its lock goes with the process, however that ends.
struct StorageDirectory: Sendable {
    let path: String
    private let descriptor: Int32

    var recording: String { path + "/recorder" }
    /// A recording in the making.
    var unfinished: String { path + "/recorder.new" }
    /// The last recording that could not be read.
    var unreadable: String { path + "/recorder.unreadable" }

    /// Makes the directory where it is missing, and locks it.
    init(_ path: String) throws(RecorderProblem) {
        self.path = path
        try StorageDirectory.make(path)
        descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .system(step: "open the directory", path: path, errorNumber: errno)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            Glibc.close(descriptor)
            guard number == EWOULDBLOCK else {
                throw .system(step: "lock the directory", path: path, errorNumber: number)
            }
            throw .inUse(directory: path)
        }
    }

    func close() { _ = Glibc.close(descriptor) }

    /// The directory and those above it that are missing.
    private static func make(_ path: String) throws(RecorderProblem) {
        var sofar = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: false) {
            sofar += sofar.isEmpty && !path.hasPrefix("/") ? part : "/" + part
            guard !part.isEmpty else {
                if sofar == "/" { sofar = "" }
                continue
            }
            // One that stands already may refuse in other words, so only what matters is asked: can it be opened?
            if unsafe mkdir(sofar, 0o750) != 0, errno != EEXIST, unsafe access(sofar, F_OK) != 0 {
                throw .system(step: "make the directory", path: sofar, errorNumber: errno)
            }
        }
    }

    func rename(_ old: String, to new: String) throws(RecorderProblem) {
        guard unsafe Glibc.rename(old, new) == 0 else {
            throw .system(step: "rename to \(new)", path: old, errorNumber: errno)
        }
    }

    /// Opens a new file of so many bytes, all of them allocated: a full disk is an error here, and never the end of the
    /// process when a page of a hole is first written.
    func create(_ path: String, bytes: Int) throws(RecorderProblem) -> Int32 {
        _ = unsafe unlink(path)
        let file = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .system(step: "create", path: path, errorNumber: errno) }
        let status = posix_fallocate(file, 0, bytes)
        guard status == 0 else {
            Glibc.close(file)
            _ = unsafe unlink(path)
            throw .system(step: "take \(bytes) bytes for", path: path, errorNumber: status)
        }
        return file
    }
}
