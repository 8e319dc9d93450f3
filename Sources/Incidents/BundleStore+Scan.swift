import Glibc

/// What stands in a directory of bundles.
public struct BundleListing: Sendable {
    /// Newest first.
    public internal(set) var summaries: [IncidentSummary] = []
    /// What was left alone, a line each, at most `maximumRemarks`.
    public internal(set) var remarks: [String] = []
    var bundles: [StoredBundle] = []

    static let maximumRemarks = 20

    mutating func remark(_ text: String) {
        if remarks.count < BundleListing.maximumRemarks { remarks.append(text) }
    }
}

extension BundleStore {
    /// Reads the documents of all bundles. `parse` makes a summary of an `incident.json`, or throws a text that says what
    /// is wrong with it. A directory that is not there yet holds nothing.
    public func list(parse: ([UInt8]) throws -> IncidentSummary) throws(IncidentStorageError) -> BundleListing {
        var listing = BundleListing()
        if unsafe access(path, F_OK) != 0, errno == ENOENT { return listing }
        for name in try names(in: path, following: true).sorted() {
            guard let id = IncidentID(name) else {
                if !BundleStore.isLeftover(name) {
                    listing.remark("ignored \(path)/\(name): its name is no incident's")
                }
                continue
            }
            do {
                let summary = try parse(read(id, .document, atMost: BundleStore.maximumDocumentBytes))
                guard summary.id == id else {
                    listing.remark("ignored \(path)/\(name): its incident.json is that of \(summary.id)")
                    continue
                }
                listing.bundles.append(StoredBundle(summary: summary, bytes: size(of: id)))
            } catch {
                listing.remark("ignored \(path)/\(name): \(error)")
            }
        }
        listing.bundles.reverse()
        listing.summaries = listing.bundles.map(\.summary)
        return listing
    }

    /// Removes what a crash has left half written or half removed.
    func removeLeftovers() throws(IncidentStorageError) {
        for name in try names(in: path, following: true) where BundleStore.isLeftover(name) {
            try empty("\(path)/\(name)")
        }
    }

    private static func isLeftover(_ name: String) -> Bool {
        (name.hasPrefix(".new-") || name.hasPrefix(".old-")) && IncidentID(String(name.dropFirst(5))) != nil
    }

    /// What a bundle's files take, and its directory.
    private func size(of id: IncidentID) -> Int {
        BundleFile.allCases.reduce(BundleStore.blockBytes) { total, file in
            var status = stat()
            guard unsafe lstat("\(path)/\(id)/\(file.rawValue)", &status) == 0 else { return total }
            // What a stranger has put there may claim any size; such a bundle goes first of all.
            return total + BundleStore.blocks(Int(min(max(0, status.st_size), 1 << 40)))
        }
    }

    /// The names in a directory, but for itself and the one above; at most ``maximumNames``.
    func names(in directory: String, following: Bool) throws(IncidentStorageError) -> [String] {
        let descriptor = try openDirectory(directory, following: following)
        guard let stream = unsafe fdopendir(descriptor) else {
            close(descriptor)
            throw IncidentStorageError("open", directory, errno)
        }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while names.count < BundleStore.maximumNames, let entry = unsafe readdir(stream) {
            // Safety: the name ends with a zero byte, and the entry is valid until the next `readdir`.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
