import Glibc

// Bundles on disk:
//
//     STORAGE/incidents/20260301T120000123Z-0001/incident.json …     a bundle: whole, or not there
//                       .new-20260301T120000123Z-0002/ …             being written: synced, then renamed
//                       .old-20260228T090000000Z-0003/ …             being removed: renamed, then emptied
//
// A crash leaves at most a `.new-` or an `.old-`, which the next start removes. What else stands in the directory is not
// ours: it is left alone, never followed (links), never read past a bound, and named in a message.

/// The directory of bundles: reading and writing, without any state of its own.
///
/// Concurrency: any thread; two writers of one directory do not harm each other, since names differ. Every call blocks
/// for as long as the disk takes.
public struct BundleStore: Sendable {
    /// What `--storage.max-bytes` is unless somebody says otherwise.
    public static let defaultMaximumBytes = 256 << 20
    static let blockBytes = 4096
    /// No file of ours is larger.
    static let maximumFileBytes = 32 << 20
    static let maximumDocumentBytes = 256 << 10
    /// Names that are looked at in the directory.
    static let maximumNames = 10_000

    /// The directory itself.
    public let path: String

    /// `storagePath` is what `--storage.path` names; the directory need not be there yet.
    public init(storagePath: String) {
        path = storagePath.hasSuffix("/") ? storagePath + "incidents" : storagePath + "/incidents"
    }

    static func blocks(_ bytes: Int) -> Int { (bytes + blockBytes - 1) / blockBytes * blockBytes }

    /// Makes the directory and those above it where they are missing.
    public func prepare() throws(IncidentStorageError) {
        var made = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: true) {
            made += made.isEmpty && !path.hasPrefix("/") ? String(part) : "/\(part)"
            guard unsafe mkdir(made, 0o750) != 0, errno != EEXIST else { continue }
            // What stands already may stand where nothing can be made.
            let number = errno
            var status = stat()
            if unsafe stat(made, &status) != 0 { throw IncidentStorageError("make", made, number) }
        }
        let directory = try openDirectory(path, following: true)
        close(directory)
    }

    /// Writes a bundle; it is whole and on the disk when this returns, and not there when it throws.
    func write(_ bundle: IncidentBundle) throws(IncidentStorageError) {
        try prepare()
        let (temporary, final) = ("\(path)/.new-\(bundle.summary.id)", "\(path)/\(bundle.summary.id)")
        guard unsafe mkdir(temporary, 0o750) == 0 else { throw IncidentStorageError("make", temporary, errno) }
        do throws(IncidentStorageError) {
            for file in bundle.files { try write(file.bytes, to: "\(temporary)/\(file.name.rawValue)") }
            try sync(temporary)
            guard unsafe rename(temporary, final) == 0 else { throw IncidentStorageError("name", final, errno) }
            try sync(path)
        } catch {
            try? empty(temporary)
            throw error
        }
    }

    /// Removes a bundle; one that is gone already is no error.
    func remove(_ id: IncidentID) throws(IncidentStorageError) {
        let old = "\(path)/.old-\(id)"
        guard unsafe rename("\(path)/\(id)", old) == 0 else {
            if errno == ENOENT { return }
            throw IncidentStorageError("remove", "\(path)/\(id)", errno)
        }
        try empty(old)
    }

    /// The bytes of one file of a bundle.
    public func read(_ id: IncidentID, _ file: BundleFile) throws(IncidentStorageError) -> [UInt8] {
        try read(id, file, atMost: BundleStore.maximumFileBytes)
    }

    /// Whether a bundle of this name is there.
    public func holds(_ id: IncidentID) -> Bool {
        guard let directory = try? openDirectory("\(path)/\(id)", following: false) else { return false }
        close(directory)
        return true
    }

    func read(_ id: IncidentID, _ file: BundleFile, atMost limit: Int) throws(IncidentStorageError) -> [UInt8] {
        let name = "\(path)/\(id)/\(file.rawValue)"
        let directory = try openDirectory("\(path)/\(id)", following: false)
        defer { close(directory) }
        // A pipe in place of a file must not make us wait for its other end.
        let descriptor = unsafe openat(directory, file.rawValue, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw IncidentStorageError("read", name, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw IncidentStorageError("read", name, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw IncidentStorageError(path: name, text: "cannot read \(name): it is no plain file")
        }
        guard status.st_size <= limit else {
            throw IncidentStorageError(
                path: name, text: "cannot read \(name): its \(status.st_size) bytes are more than \(limit)")
        }
        return try readAll(descriptor, name, limit: limit)
    }

    private func readAll(_ descriptor: Int32, _ name: String, limit: Int) throws(IncidentStorageError) -> [UInt8] {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while content.count <= limit {
            // Safety: at most `chunk.count` bytes are written into the array's own storage.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw IncidentStorageError("read", name, errno) }
            if count == 0 { break }
            content += chunk[..<count]
        }
        return Array(content.prefix(limit))
    }

    private func write(_ bytes: [UInt8], to name: String) throws(IncidentStorageError) {
        let descriptor = unsafe open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw IncidentStorageError("write", name, errno) }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            // Safety: the call reads only the bytes of the array that are left.
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe Glibc.write(descriptor, all.baseAddress.map { unsafe $0 + done }, all.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw IncidentStorageError("write", name, errno) }
            done += count
        }
        guard fsync(descriptor) == 0 else { throw IncidentStorageError("write", name, errno) }
    }

    private func sync(_ directory: String) throws(IncidentStorageError) {
        let descriptor = try openDirectory(directory, following: true)
        defer { close(descriptor) }
        // A file system that cannot sync a directory says EINVAL.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw IncidentStorageError("sync", directory, errno) }
    }

    func openDirectory(_ path: String, following: Bool) throws(IncidentStorageError) -> Int32 {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (following ? 0 : O_NOFOLLOW)
        let descriptor = unsafe open(path, flags)
        guard descriptor >= 0 else { throw IncidentStorageError("open", path, errno) }
        return descriptor
    }

    /// Removes a directory with the files in it, but nothing below a directory within: no bundle has one.
    func empty(_ directory: String) throws(IncidentStorageError) {
        for name in try names(in: directory, following: false) { _ = unsafe unlink("\(directory)/\(name)") }
        guard unsafe rmdir(directory) == 0 else { throw IncidentStorageError("remove", directory, errno) }
    }
}

/// What a disk did not do: one line for the operator.
public struct IncidentStorageError: Error, Equatable, CustomStringConvertible {
    public let path: String
    public let description: String

    init(path: String, text: String) {
        self.path = path
        description = text
    }

    init(_ verb: String, _ path: String, _ number: Int32) {
        self.path = path
        description =
            "cannot \(verb) \(path): \(unsafe String(cString: strerror(number)).lowercased()) (errno \(number))"
    }
}
