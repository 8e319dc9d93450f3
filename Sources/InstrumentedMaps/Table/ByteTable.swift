// The table of one shard: an index of places and the records that it refers to.
//
//     HashIndex   [ place·ref | place·ref | · | place·ref ]          8 bytes an entry, sorted by place
//                               │
//     RecordStore               └──▶ [ header │ key │ value ]       inline in a slot of 16-byte units
//
// Neither growth nor a delete touches a record; a search touches one, and only when all 32 bits of its place agree.

/// Keys and values of one shard, with its own account of the bytes they take.
///
/// Not thread safe: every call stands under the shard's lock; `find` and `forEach` may share it.
struct ByteTable: ShardTable, ~Copyable {
    private var index: HashIndex
    private var store: RecordStore

    /// An empty table, which takes its memory from `budget`.
    init(budget: MemoryBudget = MemoryBudget()) {
        index = HashIndex(budget: budget)
        store = RecordStore(budget: budget)
    }

    /// Live entries.
    var count: Int { index.count }

    /// Slots of the index.
    var capacity: Int { index.capacity }

    /// Live entries with their records and index words: falls with every delete.
    var liveBytes: UInt64 { UInt64(store.liveBytes + index.count * 8) }

    /// What records and index hold of the allocators.
    var allocatedBytes: UInt64 { UInt64(store.allocatedBytes + index.bytes) }

    /// A copy of the value of `key`, or nil. Cost: one probe run and the copy.
    func find(_ key: Span<UInt8>, _ hash: KeyHash) -> [UInt8]? {
        guard let position = position(of: key, hash) else { return nil }
        return unsafe [UInt8](store.record(at: position.ref).value)
    }

    /// The length of the value of `key`, which is copied to `output` when it fits there, or nil. Cost: as ``find(_:_:)``,
    /// without an allocation.
    @inline(__always)
    func copyValue(of key: Span<UInt8>, _ hash: KeyHash, to output: UnsafeMutableRawBufferPointer) -> Int? {
        guard let position = position(of: key, hash) else { return nil }
        let value = unsafe store.record(at: position.ref).value
        if value.count <= output.count { unsafe output.copyMemory(from: value) }
        return value.count
    }

    /// Shows `body` the value of `key` where it lies, nil when it is absent, and returns what that returns.
    func withValue<R>(_ key: Span<UInt8>, _ hash: KeyHash, _ body: (Span<UInt8>?) -> R) -> R {
        guard let position = position(of: key, hash) else { return body(nil) }
        // Safety: the span cannot outlive the call that it is passed to, and the record outlives it.
        return unsafe body(Span(_unsafeBytes: store.record(at: position.ref).value))
    }

    /// Sets the value of `key`, unless there is no memory for it: then nothing is changed.
    @inline(__always)
    mutating func store(
        _ key: Span<UInt8>, _ hash: KeyHash, value: Span<UInt8>, _ writes: some TableWrites = PlainWrites()
    ) -> StoreOutcome {
        precondition(unsafe key.count <= Record.maximumKeyBytes, "a key has at most 65,535 bytes")
        precondition(unsafe value.count <= Record.maximumValueBytes, "a value has at most 4 GiB")
        let size = unsafe Record.size(key: key.count, value: value.count)
        var position = search(key, hash)
        writes.begin()
        defer { writes.end(view) }
        guard position.isThere else {
            if !index.hasRoom {
                guard index.makeRoom(writes) else { return .refused }
                position = search(key, hash)
            }
            guard let ref = store.allocate(size, writes) else { return .refused }
            unsafe writes.write(store.record(at: ref), place: hash.place, key: key, value: value)
            index.insert(hash.place, ref, at: position, writes)
            return .inserted
        }
        let old = position.ref
        if store.fits(size, in: old) {
            unsafe writes.writeValue(store.record(at: old), value)
        } else {
            guard let new = store.allocate(size, writes) else { return .refused }
            unsafe writes.write(store.record(at: new), place: hash.place, key: key, value: value)
            index.replace(position, with: new, writes)
            store.release(old, writes)
        }
        return .updated
    }

    /// Removes `key`; false when it was not there.
    @inline(__always)
    mutating func remove(
        _ key: Span<UInt8>, _ hash: KeyHash, _ writes: some TableWrites = PlainWrites()
    ) -> Bool {
        guard let position = position(of: key, hash) else { return false }
        let ref = position.ref
        writes.begin()
        index.remove(position, writes)
        store.release(ref, writes)
        writes.end(view)
        return true
    }

    /// Calls `body` with key and value of each entry, in the order of places.
    func forEach(_ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        index.forEach { ref in
            let record = unsafe store.record(at: ref)
            // Safety: spans cannot outlive the call that they are passed to, and the record outlives it.
            unsafe body(Span(_unsafeBytes: record.key), Span(_unsafeBytes: record.value))
        }
    }

    /// Does up to `budget` moves that nobody waits for: the rest of a growth, the emptying of half-empty slabs. Returns
    /// how many it did; 0 when all is well.
    mutating func maintain(budget: Int) -> Int { maintain(budget: budget, PlainWrites()) }

    mutating func maintain(budget: Int, _ writes: some TableWrites) -> Int {
        writes.begin()
        defer { writes.end(view) }
        let visited = index.moveOn(slots: budget, writes)
        guard visited == 0 else { return visited }
        return unsafe store.compact(budget: budget, writes) { record, old, new in
            let position = index.search(unsafe record.place) { $0 == old }
            precondition(position.isThere, "a live record has no index word")
            index.replace(position, with: new, writes)
        }
    }

    /// What a reader without a lock starts from.
    @inline(__always)
    private var view: TableView { unsafe index.view(slabAddresses: store.slabAddresses) }

    @inline(__always)
    private func search(_ key: Span<UInt8>, _ hash: KeyHash) -> HashIndex.Position {
        index.search(hash.place) { unsafe store.record(at: $0).hasKey(key) }
    }

    @inline(__always)
    private func position(of key: Span<UInt8>, _ hash: KeyHash) -> HashIndex.Position? {
        let position = search(key, hash)
        return position.isThere ? position : nil
    }
}
