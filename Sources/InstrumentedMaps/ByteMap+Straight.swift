import CSystem
import Instruments

// The straight way of an operation through a shard that nobody else is in: a short search, one change, counted. In one piece
// and without a call but the copy of the value (see `ByteTable+Straight.swift`); whatever is not so simple goes on in a
// function of its own, with nothing but what the operation was called with, and nothing of it comes back:
//
//     tryEnter ─▶ search ─▶ copy, or change ─▶ count ─▶ leave
//        │          │            │
//        │ busy     └────────────┴─ not told ─▶ …Inside      the general way, then count and leave
//        └─▶ …AfterWait ──────────────────────────▲
//
// The key is of 8 to 16 bytes, and the gate is clear: both were asked before.
//
// Tables are changed through a pointer of their own: at `shard.pointee.table.pointee.insert(…)` Swift 6.3.1 tells
// ThreadSanitizer of a change of the shard itself.

extension ByteMap where Guard: ~Copyable, Table: ~Copyable {
    /// Whether the shards of this kind of map have one.
    @inline(__always)
    static var hasStraightWay: Bool { Guard.hasStraightWay && !Table.isPublished }

    // MARK: - Load

    @inline(__always)
    func loadStraight(_ key: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int? {
        let short = ShortKey(key)
        let hash = KeyHash(short, hasher)
        let shard = unsafe shards.pointer(shard(of: hash))
        if let found = unsafe shard.pointee.shardGuard.tryEnter(as: .read) {
            return loadAfterWait(key, into: &output, found)
        }
        let count: Int?? = unsafe ByteTable.search(short, hash.place, by: shard.pointee.whereabouts) {
            _, record, lengths in
            // Before the copy, across which nothing need be kept for it then.
            unsafe shard.pointee.countLoad(hit: true, nil)
            // Safety: the output outlives the call that its address is passed to. No closure around that: the compiler would
            // make a function of it.
            let start = unsafe output.withUnsafeMutableBytes { $0.baseAddress }
            return unsafe record.copyPlainValue(keyCount: short.count, lengths, to: start, room: output.count)
        } absent: { _ in
            unsafe shard.pointee.countLoad(hit: false, nil)
            return nil
        }
        guard let count else { return loadInside(key, into: &output) }
        unsafe shard.pointee.shardGuard.leave()
        return count
    }

    @inline(never)
    private func loadAfterWait(_ key: Span<UInt8>, into output: inout MutableSpan<UInt8>, _ found: UInt32) -> Int? {
        withShard(of: straightHash(key)) { $0.shardGuard.enter(as: .read, found: found) }
        return loadInside(key, into: &output)
    }

    @inline(never)
    private func loadInside(_ key: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int? {
        let hash = straightHash(key)
        let room = output.count
        // Safety: the buffer does not leave the call that it is passed to.
        return unsafe output.withUnsafeMutableBytes { bytes in
            withShard(of: hash) { shard in
                let count = unsafe shard.table.pointee.copyValue(
                    of: key, hash, by: shard.whereabouts, to: bytes.baseAddress, room: room)
                shard.countLoad(hit: count != nil, nil)
                shard.shardGuard.leave()
                return count
            }
        }
    }

    /// The same for a batch: appends the value to `output`, and says whether there was one.
    @inline(__always)
    func loadStraight(
        _ key: Span<UInt8>, _ short: ShortKey, _ hash: KeyHash, appendingTo output: inout ByteBuffer
    ) -> Bool {
        let shard = unsafe shards.pointer(shard(of: hash))
        if let found = unsafe shard.pointee.shardGuard.tryEnter(as: .read) {
            return loadAfterWait(key, hash, appendingTo: &output, found)
        }
        let isThere = unsafe ByteTable.search(short, hash.place, by: shard.pointee.whereabouts) { _, record, lengths in
            unsafe shard.pointee.countLoad(hit: true, nil)
            unsafe output.append(record.plainValue(keyCount: short.count, lengths))
            return true
        } absent: { _ in
            unsafe shard.pointee.countLoad(hit: false, nil)
            return false
        }
        guard let isThere else { return loadInside(key, hash, appendingTo: &output) }
        unsafe shard.pointee.shardGuard.leave()
        return isThere
    }

    @inline(never)
    private func loadAfterWait(
        _ key: Span<UInt8>, _ hash: KeyHash, appendingTo output: inout ByteBuffer, _ found: UInt32
    ) -> Bool {
        withShard(of: hash) { $0.shardGuard.enter(as: .read, found: found) }
        return loadInside(key, hash, appendingTo: &output)
    }

    @inline(never)
    private func loadInside(_ key: Span<UInt8>, _ hash: KeyHash, appendingTo output: inout ByteBuffer) -> Bool {
        withShard(of: hash) { shard in
            let isThere = unsafe shard.table.pointee.appendValue(of: key, hash, by: shard.whereabouts, to: &output)
            shard.countLoad(hit: isThere, nil)
            shard.shardGuard.leave()
            return isThere
        }
    }

    // MARK: - Store

    @inline(__always)
    func storeStraight(_ key: Span<UInt8>, _ short: ShortKey, _ hash: KeyHash, _ value: Span<UInt8>) -> StoreOutcome {
        let shard = unsafe shards.pointer(shard(of: hash))
        if let found = unsafe shard.pointee.shardGuard.tryEnter(as: .write) { return storeAfterWait(key, value, found) }
        let search = unsafe ByteTable.search(short, hash.place, by: shard.pointee.whereabouts) { _, record, lengths in
            // A value of another length may need another slot.
            guard lengths.valueCount == value.count else { return StoreSearch.other }
            // The end of the value is in the next line as a rule, and a store there is the last to learn that it is missing.
            unsafe mapwatch_prefetch_to_write(record.base + 64)
            unsafe shard.pointee.count(.updated)
            unsafe record.writeValue(value, keyCount: short.count)
            return .updated
        } absent: {
            .absent($0)
        }
        switch search {
        case .updated: break
        case .absent(let position): return insertInside(key, hash, value, at: position)
        case .other, nil: return storeInside(key, value)
        }
        unsafe shard.pointee.shardGuard.leave()
        return .updated
    }

    /// Adds the entry; a function of its own, because it needs every register there is, which an update does not.
    @inline(never)
    private func insertInside(
        _ key: Span<UInt8>, _ hash: KeyHash, _ value: Span<UInt8>, at position: HashIndex.Position
    ) -> StoreOutcome {
        let shard = unsafe shards.pointer(shard(of: hash))
        let table = unsafe shard.pointee.table
        let size = unsafe Record.size(key: key.count, value: value.count)
        guard let entry = unsafe table.pointee.insert(hash.place, size: size, at: position) else {
            return storeInside(key, value)
        }
        // The levels first, which are at hand.
        if unsafe _slowPath(entry.hasMoved) {
            unsafe shard.pointee.publish()
        } else {
            unsafe shard.pointee.publishEntries(table.pointee.levels)
        }
        unsafe shard.pointee.count(.inserted)
        unsafe entry.record.write(place: hash.place, key: ShortKey(key), value: value)
        unsafe shard.pointee.shardGuard.leave()
        return .inserted
    }

    @inline(never)
    private func storeAfterWait(_ key: Span<UInt8>, _ value: Span<UInt8>, _ found: UInt32) -> StoreOutcome {
        withShard(of: straightHash(key)) { $0.shardGuard.enter(as: .write, found: found) }
        return storeInside(key, value)
    }

    @inline(never)
    private func storeInside(_ key: Span<UInt8>, _ value: Span<UInt8>) -> StoreOutcome {
        let hash = straightHash(key)
        return withShard(of: hash) { shard in
            let table = unsafe shard.table
            let outcome = unsafe table.pointee.store(key, hash, value: value)
            shard.countStore(outcome, nil)
            shard.shardGuard.leave()
            return outcome
        }
    }

    // MARK: - Delete

    @inline(__always)
    func deleteStraight(_ key: Span<UInt8>, _ short: ShortKey, _ hash: KeyHash) -> Bool {
        let shard = unsafe shards.pointer(shard(of: hash))
        if let found = unsafe shard.pointee.shardGuard.tryEnter(as: .write) { return deleteAfterWait(key, found) }
        guard unsafe _fastPath(!openCount.pointee.isAny) else { return deleteInside(key) }
        let table = unsafe shard.pointee.table
        let hit: Bool?? = unsafe ByteTable.search(short, hash.place, by: shard.pointee.whereabouts) {
            position, record, _ in
            guard unsafe table.pointee.remove(record, at: position) else { return nil }
            unsafe shard.pointee.publishEntries(table.pointee.levels)
            unsafe shard.pointee.countDelete(hit: true)
            return true
        } absent: { _ in
            unsafe shard.pointee.countDelete(hit: false)
            return false
        }
        guard let hit, let hit else { return deleteInside(key) }
        unsafe shard.pointee.shardGuard.leave()
        return hit
    }

    @inline(never)
    private func deleteAfterWait(_ key: Span<UInt8>, _ found: UInt32) -> Bool {
        withShard(of: straightHash(key)) { $0.shardGuard.enter(as: .write, found: found) }
        return deleteInside(key)
    }

    @inline(never)
    private func deleteInside(_ key: Span<UInt8>) -> Bool {
        let hash = straightHash(key)
        return withShard(of: hash) { shard in
            let hit = shard.deleteAdmitted(nil) { $0.remove(key, hash) ? () : nil } != nil
            shard.shardGuard.leave()
            return hit
        }
    }
}

/// What a store came to on the straight way.
private enum StoreSearch {
    case updated
    case absent(HashIndex.Position)
    case other
}
