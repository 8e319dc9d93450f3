import Instruments

// Load, store and delete of one key. Each goes straight to its shard when the gate knows of no detour, and else through a
// function of its own, so that the straight way is one piece of code: a processor waits for the memory of as many operations
// at once as it has instructions in flight (see `ByteTable+Straight.swift`).
//
//     gate clear, key of 8 to 16 bytes ─▶ hash ─▶ shard: …Straight
//     another length                   ─▶ hash ─▶ shard
//     watched, timed, mode global, …   ─▶ gate: pass ─▶ shard

extension ByteMap where Guard: ~Copyable, Table: ~Copyable {
    func load(_ key: Span<UInt8>) -> [UInt8]? {
        guard isStraight(key, .load) else { return loadByDetour(key) }
        return load(key, straightHash(key), nil)
    }

    @inline(never)
    private func loadByDetour(_ key: Span<UInt8>) -> [UInt8]? {
        if isLongWay(key, .load) { return load(key, straightHash(key), nil) }
        if recordsLoads, gate.isClear(for: .load, isRecorded: true) {
            defer { introduceCaller() }
            return load(key, straightHash(key), nil, isRecorded: Records.isOn)
        }
        let detour = gate.detourNow(of: .load, isRecorded: recordsLoads)
        let hash = hash(key)
        return gate.pass(detour, .load, as: { _ in .load }, at: shard(of: hash)) {
            load(key, hash, nil)
        } watched: {
            load(key, hash, $0)
        }
    }

    @inline(__always)
    private func load(
        _ key: Span<UInt8>, _ hash: KeyHash, _ watch: OperationWatch?, isRecorded: Bool = false
    ) -> [UInt8]? {
        let shard = aim(watch, at: key, hash)
        return shards[shard].load(key, hash, watch, isRecorded ? recordPlace(in: shard) : nil)
    }

    func load(_ key: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int? {
        guard isStraight(key, .load) else { return loadByDetour(key, into: &output) }
        guard goesStraight else { return load(key, straightHash(key), into: &output, nil) }
        return loadStraight(key, into: &output)
    }

    @inline(never)
    private func loadByDetour(_ key: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int? {
        if isLongWay(key, .load) { return load(key, straightHash(key), into: &output, nil) }
        if recordsLoads, gate.isClear(for: .load, isRecorded: true) {
            defer { introduceCaller() }
            return load(key, straightHash(key), into: &output, nil, isRecorded: Records.isOn)
        }
        let detour = gate.detourNow(of: .load, isRecorded: recordsLoads)
        let hash = hash(key)
        return gate.pass(detour, .load, as: { _ in .load }, at: shard(of: hash)) {
            load(key, hash, into: &output, nil)
        } watched: {
            load(key, hash, into: &output, $0)
        }
    }

    @inline(__always)
    private func load(
        _ key: Span<UInt8>, _ hash: KeyHash, into output: inout MutableSpan<UInt8>, _ watch: OperationWatch?,
        isRecorded: Bool = false
    ) -> Int? {
        let shard = aim(watch, at: key, hash)
        let place = isRecorded ? recordPlace(in: shard) : nil
        // The span's own count: that of a raw buffer looks whether there is a base address.
        let room = output.count
        // Safety: the buffer does not leave the call that it is passed to.
        return unsafe output.withUnsafeMutableBytes {
            unsafe shards[shard].load(key, hash, into: $0.baseAddress, room: room, watch, place)
        }
    }

    func store(_ key: Span<UInt8>, _ value: Span<UInt8>) -> StoreOutcome {
        guard isStraight(key, .update) else { return storeByDetour(key, value, nil) }
        guard goesStraight else {
            defer { introduceCaller() }
            return store(key, straightHash(key), value, nil, nil, isRecorded: Records.isOn)
        }
        let short = ShortKey(key)
        return storeStraight(key, short, KeyHash(short, hasher), value)
    }

    func store(_ key: Span<UInt8>, _ value: Span<UInt8>, ttlSeconds: Int) -> StoreOutcome {
        precondition(MapOptions.ttlRange.contains(ttlSeconds), "an entry lives for 1 second to 1 year")
        guard isStraight(key, .update) else { return storeByDetour(key, value, ttlSeconds) }
        defer { introduceCaller() }
        return store(key, straightHash(key), value, ttlSeconds, nil, isRecorded: Records.isOn)
    }

    @inline(never)
    private func storeByDetour(_ key: Span<UInt8>, _ value: Span<UInt8>, _ seconds: Int?) -> StoreOutcome {
        if isLongWay(key, .update) {
            defer { introduceCaller() }
            return store(key, straightHash(key), value, seconds, nil, isRecorded: Records.isOn)
        }
        let detour = gate.detourNow(of: .update, isRecorded: Records.isOn)
        let hash = hash(key)
        return gate.pass(detour, .update, as: { _ in .store }, at: shard(of: hash)) {
            store(key, hash, value, seconds, nil)
        } watched: {
            store(key, hash, value, seconds, $0)
        }
    }

    @inline(__always)
    private func store(
        _ key: Span<UInt8>, _ hash: KeyHash, _ value: Span<UInt8>, _ seconds: Int?, _ watch: OperationWatch?,
        isRecorded: Bool = false
    ) -> StoreOutcome {
        let shard = aim(watch, at: key, hash)
        let place = isRecorded ? recordPlace(in: shard) : nil
        return shards[shard].store(key, hash, value: value, for: seconds, watch, place)
    }

    func delete(_ key: Span<UInt8>) -> Bool {
        guard isStraight(key, .delete) else { return deleteByDetour(key) }
        guard goesStraight else {
            defer { introduceCaller() }
            return delete(key, straightHash(key), nil, isRecorded: Records.isOn)
        }
        let short = ShortKey(key)
        return deleteStraight(key, short, KeyHash(short, hasher))
    }

    @inline(never)
    private func deleteByDetour(_ key: Span<UInt8>) -> Bool {
        if isLongWay(key, .delete) {
            defer { introduceCaller() }
            return delete(key, straightHash(key), nil, isRecorded: Records.isOn)
        }
        let detour = gate.detourNow(of: .delete, isRecorded: Records.isOn)
        let hash = hash(key)
        return gate.pass(detour, .delete, as: { _ in .delete }, at: shard(of: hash)) {
            delete(key, hash, nil)
        } watched: {
            delete(key, hash, $0)
        }
    }

    @inline(__always)
    private func delete(
        _ key: Span<UInt8>, _ hash: KeyHash, _ watch: OperationWatch?, isRecorded: Bool = false
    ) -> Bool {
        let shard = aim(watch, at: key, hash)
        return shards[shard].delete(key, hash, watch, isRecorded ? recordPlace(in: shard) : nil)
    }

    /// Whether an operation on one key goes the straight way: the gate is clear, and the key is of the length that nearly all
    /// have, so that no piece of the way asks for it again.
    @inline(__always)
    private func isStraight(_ key: Span<UInt8>, _ operation: ObservedOperation) -> Bool {
        _fastPath(ShortKey.fits(key.count))
            && gate.isClear(for: operation, isRecorded: operation != .load && Records.isOn)
    }

    /// Whether an operation that goes straight does so in its shard too. On a map with records none does: writes, because
    /// they are recorded on another way there, and loads, because the compiler would make one function of these and those
    /// of maps without, and call it from two.
    @inline(__always)
    var goesStraight: Bool { ByteMap.hasStraightWay && !Records.isOn }

    /// The hash of a key where the gate is clear: what chooses the shard is `keyed` then.
    @inline(__always)
    func straightHash(_ key: Span<UInt8>) -> KeyHash { KeyHash(key, hasher) }

    /// Whether it was only the length of the key that kept an operation from the straight way: then it goes the same way in
    /// code that is made for every length.
    @inline(__always)
    private func isLongWay(_ key: Span<UInt8>, _ operation: ObservedOperation) -> Bool {
        !ShortKey.fits(key.count)
            && gate.isClear(for: operation, isRecorded: operation != .load && Records.isOn)
    }

    /// Whether a load goes the straight way too, and is recorded there.
    @inline(__always)
    private var recordsLoads: Bool { Records.isOn && gate.recordsLoads }

    /// Where a straight operation on a map that keeps records is recorded.
    @inline(__always)
    func recordPlace(in shard: Int) -> RecordPlace {
        // Safety: a map of this class is made only where there are rings.
        unsafe RecordPlace(rings: gate.rings.unsafelyUnwrapped, shard: shard)
    }

    /// Has the name of a recorded operation's caller kept; with the shard open.
    @inline(__always)
    func introduceCaller() {
        if Records.isOn { gate.watch?.introduce(Caller.current) }
    }
}
