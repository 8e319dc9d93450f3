import Instruments

// What there is of bundles, on disk and in memory:
//
//     on disk       with `--storage.path`: all files, as many bundles as `--storage.max-bytes` has room for
//     in memory     without it, or where the disk failed: the last 100 rows of the list, of the last 20 the small files
//
// The list is kept in memory in both cases, so that neither a scrape nor a look at the list touches the disk.

/// The bundles of one process, and the list of them.
///
/// Concurrency: any thread; writers of the disk wait for one another, readers of the list for neither.
public final class IncidentArchive: Sendable {
    /// What a listener of this archive is told.
    public enum Notice: Sendable, Equatable {
        /// The path is nil when it is kept in memory.
        case recorded(IncidentSummary, path: String?)
        case failed(IncidentSummary, IncidentStorageError)
        case rotated(IncidentID)
        /// Something about the directory.
        case remark(String)
    }

    /// A row of the list.
    public struct Listed: Sendable, Equatable {
        public let summary: IncidentSummary
        /// Whether it is on disk.
        public let isStored: Bool

        public init(summary: IncidentSummary, isStored: Bool) {
            self.summary = summary
            self.isStored = isStored
        }
    }

    static let rowsInMemory = 100
    static let bundlesInMemory = 20

    private struct State: Sendable {
        /// Oldest first.
        var bundles: [StoredBundle] = []
        /// Oldest first, of those that are not on disk.
        var memory: [IncidentBundle] = []
        var rows: [IncidentSummary] = []
        var written: UInt64 = 0
        var failed: UInt64 = 0
        var rotated: UInt64 = 0
    }

    private let store: BundleStore?
    private let maximumBytes: Int
    private let tell: @Sendable (Notice) -> Void
    private let state = LockedState(State())
    /// Held while the disk is written.
    private let disk = LockedState<Void>(())

    /// With a store, takes up what stands there; what cannot be read is told, and no reason not to begin.
    public init(
        store: BundleStore?, maximumBytes: Int, parse: ([UInt8]) throws -> IncidentSummary,
        tell: @escaping @Sendable (Notice) -> Void
    ) {
        self.store = store
        self.maximumBytes = maximumBytes
        self.tell = tell
        guard let store else { return }
        do {
            try store.prepare()
            try store.removeLeftovers()
            let listing = try store.list(parse: parse)
            for remark in listing.remarks { tell(.remark(remark)) }
            let standing = listing.bundles.sorted { $0.summary.id < $1.summary.id }
            state.withLock { $0.bundles = standing }
            makeRoom(for: 0)
        } catch {
            tell(.remark("\(error); incidents are kept in memory until it can be written"))
        }
    }

    var isOnDisk: Bool { store != nil }

    var counts: (written: UInt64, failed: UInt64, rotated: UInt64) {
        state.withLock { ($0.written, $0.failed, $0.rotated) }
    }

    /// Bytes of the bundles on disk.
    public var storedBytes: Int { state.withLock { $0.bundles.reduce(0) { $0 + $1.bytes } } }

    /// All incidents that are known, newest first.
    public var listed: [Listed] {
        state.withLock { state in
            let rows =
                state.bundles.map { Listed(summary: $0.summary, isStored: true) }
                + state.rows.map { Listed(summary: $0, isStored: false) }
            return rows.sorted { $0.summary.id > $1.summary.id }
        }
    }

    /// The bytes of one file; nil when there is no such incident, or it has no such file in memory.
    public func read(_ id: IncidentID, _ file: BundleFile) throws(IncidentStorageError) -> [UInt8]? {
        let (isStored, bytes) = state.withLock { state in
            (
                state.bundles.contains { $0.summary.id == id },
                state.memory.first { $0.summary.id == id }?.files.first { $0.name == file }?.bytes
            )
        }
        guard isStored, let store else { return bytes }
        return try store.read(id, file)
    }

    /// Keeps a bundle: on disk if there is one and it takes it, else in memory. Throws what the disk said.
    func add(_ bundle: IncidentBundle) throws(IncidentStorageError) {
        let summary = bundle.summary
        guard let store else {
            keepInMemory(bundle)
            return tell(.recorded(summary, path: nil))
        }
        do {
            try disk.withLock { _ throws(IncidentStorageError) in
                guard makeRoom(for: bundle.bytes) else {
                    throw IncidentStorageError(
                        path: store.path,
                        text: "a bundle of \(bundle.bytes) bytes is larger than --storage.max-bytes \(maximumBytes)")
                }
                try store.write(bundle)
                state.withLock { state in
                    state.bundles.append(StoredBundle(summary: summary, bytes: bundle.bytes))
                    state.written += 1
                }
            }
        } catch {
            keepInMemory(bundle)
            state.withLock { $0.failed += 1 }
            tell(.failed(summary, error))
            throw error
        }
        tell(.recorded(summary, path: "\(store.path)/\(summary.id)"))
    }

    /// Removes what has to go for so many bytes; false when they are more than there may ever be.
    @discardableResult
    private func makeRoom(for bytes: Int) -> Bool {
        guard let store else { return true }
        let bundles = state.withLock { $0.bundles }
        guard let victims = BundleRotation.victims(among: bundles, adding: bytes, maximumBytes: maximumBytes) else {
            return false
        }
        for id in victims {
            do {
                try store.remove(id)
                tell(.rotated(id))
            } catch {
                tell(.remark("\(error)"))
            }
            state.withLock { state in
                state.bundles.removeAll { $0.summary.id == id }
                state.rotated += 1
            }
        }
        return true
    }

    private func keepInMemory(_ bundle: IncidentBundle) {
        state.withLock { state in
            state.memory.append(bundle.small)
            if state.memory.count > IncidentArchive.bundlesInMemory { state.memory.removeFirst() }
            state.rows.append(bundle.summary)
            if state.rows.count > IncidentArchive.rowsInMemory { state.rows.removeFirst() }
        }
    }
}

extension IncidentBundle {
    /// The files that are small whatever happened.
    fileprivate var small: IncidentBundle {
        var small = self
        small.keep(only: [.document, .guide])
        return small
    }
}
