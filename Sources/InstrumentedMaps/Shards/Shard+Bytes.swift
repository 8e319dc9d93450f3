import Instruments

// The operations of a byte map on one of its shards.

extension Shard where Table: ByteKeyedTable & ~Copyable, Guard: ~Copyable {
    @inline(__always)
    func load(
        _ key: Span<UInt8>, _ hash: KeyHash, _ watch: OperationWatch?, _ place: RecordPlace? = nil
    ) -> [UInt8]? {
        if Table.isPublished, let answer = unsafe published?.load(key, hash, { unsafe $0.value(in: $1) }) {
            watch?.noteUnguardedLoad(hit: answer != nil)
            return answer
        }
        return load(watch) { table in
            fetch(hash, watch)
            let record = beginRecord(key, hash, place)
            let value = table.find(key, hash, by: whereabouts)
            record?.write(.load, value == nil ? .miss : .hit, isAlone: !shardGuard.readersShare)
            return value
        }
    }

    /// The length of the value of `key`, which is copied to `output` when it fits into `room` there.
    @inline(__always)
    func load(
        _ key: Span<UInt8>, _ hash: KeyHash, into output: UnsafeMutableRawPointer?, room: Int, _ watch: OperationWatch?,
        _ place: RecordPlace? = nil
    ) -> Int? {
        if Table.isPublished,
            let answer = unsafe published?.load(key, hash, { unsafe $0.copyValue(in: $1, to: output, room: room) })
        {
            watch?.noteUnguardedLoad(hit: answer != nil)
            return answer
        }
        return load(watch) { table in
            fetch(hash, watch)
            let record = beginRecord(key, hash, place)
            let count = unsafe table.copyValue(of: key, hash, by: whereabouts, to: output, room: room)
            record?.write(.load, count == nil ? .miss : .hit, isAlone: !shardGuard.readersShare)
            return count
        }
    }

    /// Appends the value of `key` to `output`; false when it was not there.
    @inline(__always)
    func load(
        _ key: Span<UInt8>, _ hash: KeyHash, appendingTo output: inout ByteBuffer, _ watch: OperationWatch?
    ) -> Bool {
        if Table.isPublished, let answer = unsafe published?.load(key, hash, { unsafe $0.value(in: $1) }) {
            if let answer { output.append(copying: answer.span) }
            watch?.noteUnguardedLoad(hit: answer != nil)
            return answer != nil
        }
        return load(watch) { table in
            fetch(hash, watch)
            return table.appendValue(of: key, hash, by: whereabouts, to: &output) ? () : nil
        } != nil
    }

    /// Asks for what a search for `hash` will look at first, and lets whoever watches use the time until it is there.
    @inline(__always)
    private func fetch(_ hash: KeyHash, _ watch: OperationWatch?) {
        guard let watch else { return }
        fetchIndex(hash)
        watch.awaitsMemory()
    }

    /// The same for an operation that is recorded and not watched.
    @inline(__always)
    private func beginRecord(_ key: Span<UInt8>, _ hash: KeyHash, _ place: RecordPlace?) -> OperationRecord? {
        guard let place else { return nil }
        fetchIndex(hash)
        return OperationRecord(place, key)
    }

    /// Asks for the memory that a search for `hash` will probably look at first; takes no guard.
    @inline(__always)
    func fetchIndex(_ hash: KeyHash) { whereabouts.fetch(hash.place) }

    /// Asks for the memory of the record that a search for `hash` will probably come to.
    @inline(__always)
    func fetchRecord(_ hash: KeyHash) {
        guard Guard.hasStraightWay else {
            return peek(as: .lookAhead) { _ in ByteTable.fetchRecord(hash.place, by: whereabouts) }
        }
        // Nobody waits to look ahead.
        guard shardGuard.tryEnter(as: .lookAhead) == nil else { return }
        ByteTable.fetchRecord(hash.place, by: whereabouts)
        shardGuard.leave()
    }

    /// Sets the value of `key`, for `seconds` or, without them, for as long as the table's entries live.
    @inline(__always)
    func store(
        _ key: Span<UInt8>, _ hash: KeyHash, value: Span<UInt8>, for seconds: Int? = nil, _ watch: OperationWatch?,
        _ place: RecordPlace? = nil
    ) -> StoreOutcome {
        store(watch) { table in
            fetch(hash, watch)
            let record = beginRecord(key, hash, place)
            let outcome = table.store(key, hash, value: value, for: seconds)
            record?.write(outcome == .inserted ? .insert : .update, outcome == .refused ? .refused : .hit)
            return outcome
        }
    }

    /// Removes `key`; false when it was not there.
    @inline(__always)
    func delete(
        _ key: Span<UInt8>, _ hash: KeyHash, _ watch: OperationWatch?, _ place: RecordPlace? = nil
    ) -> Bool {
        delete(watch) { table in
            fetch(hash, watch)
            let record = beginRecord(key, hash, place)
            let isThere = table.remove(key, hash)
            record?.write(.delete, isThere ? .hit : .miss)
            return isThere ? () : nil
        } != nil
    }

    /// How many keys of a sweep are deleted before the guard is given back: others wait for no more than that.
    static var sliceOfDeletes: Int { HashIndex.slotsPerStep }

    /// Removes a slice of keys under the guard, once; returns how many were still there, nil when the map's guard refuses.
    func delete(_ keys: ArraySlice<[UInt8]>, _ watch: OperationWatch?) -> Int? {
        // Hashed outside of the guard.
        let hashed = keys.map { ($0, KeyHash($0.span)) }
        return deleteEach(watch, hashed) { table, item in
            let hit = table.remove(item.0.span, item.1)
            watch?.noteDelete(of: item.0, hit: hit)
            return hit
        }
    }

    /// Does to `key` what `decide` says when it sees the value. The change looks the key up once more, in lines that the
    /// first look has just fetched; so it is the same store and the same delete as everybody's.
    func modify(
        _ key: Span<UInt8>, _ hash: KeyHash, countingLoad: Bool, _ watch: OperationWatch?,
        _ decide: (Span<UInt8>?) -> EntryChange
    ) -> ModifyOutcome {
        modify(watch, refused: .kept) { table, effects in
            fetch(hash, watch)
            var isThere = false
            let change = table.withValue(key, hash) { value in
                if value != nil { isThere = true }
                return decide(value)
            }
            if countingLoad { effects.load = isThere }
            switch change {
            case .keep: return .kept
            case .store(let value):
                let outcome = table.store(key, hash, value: value.span)
                effects.write = .store(outcome)
                return .stored(outcome)
            case .storeExpiring(let value, let seconds):
                let outcome = table.store(key, hash, value: value.span, for: seconds)
                effects.write = .store(outcome)
                return .stored(outcome)
            case .remove:
                guard admitsDelete() else { return .removalRefused }
                let hit = table.remove(key, hash)
                effects.write = .delete(hit: hit)
                return hit ? .removed : .kept
            }
        }
    }

    /// The value of `key` for an iterator that listed it before: no load is counted.
    func peek(_ key: Span<UInt8>, _ hash: KeyHash, _ watch: OperationWatch?) -> [UInt8]? {
        peek(watch, refused: nil) { $0.find(key, hash, by: whereabouts) }
    }

    /// The keys that `isIncluded` wants, copied at one moment; counts an iteration where it is one. Cost: one walk of the table, readers' lock held.
    func keys(
        _ watch: OperationWatch?, isIteration: Bool, where isIncluded: (Span<UInt8>) -> Bool
    ) -> [[UInt8]] {
        collect(watch, isIteration: isIteration, where: isIncluded) { key, _ in [UInt8](copying: key) }
    }

    /// The entries whose keys `isIncluded` wants, copied at one moment; nil when their keys and values are more than
    /// `maximumBytes`. Counts an iteration. Cost as ``keys(_:isIteration:where:)``, plus the values.
    func entries(
        within maximumBytes: Int, _ watch: OperationWatch?, where isIncluded: (Span<UInt8>) -> Bool
    ) -> [MapEntry]? {
        var bytes = 0
        let entries = collect(watch, isIteration: true, where: { bytes <= maximumBytes && isIncluded($0) }) {
            key, value in
            bytes += key.count + value.count
            return MapEntry(key: [UInt8](copying: key), value: [UInt8](copying: value))
        }
        return bytes <= maximumBytes ? entries : nil
    }

    private func collect<Item>(
        _ watch: OperationWatch?, isIteration: Bool,
        where isIncluded: (Span<UInt8>) -> Bool, _ copy: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Item
    ) -> [Item] {
        var items: [Item] = []
        peek(watch, refused: ()) { table in
            if isIteration { bumpAsReader(rare.iterations) }
            table.forEach { key, value in
                if isIncluded(key) { items.append(copy(key, value)) }
            }
        }
        return items
    }
}
