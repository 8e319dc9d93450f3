import CSystem

// The straight way through a table: what nearly every operation needs, and nothing else.
//
//     key of 8 to 16 bytes, index at rest ─▶ four words of it ─┬▶ one of the place ─▶ the key's record, no deadline ─▶ done
//                                        ▲                     ├▶ one that ends the places ─▶ absent
//                                        └─────────────────────┴▶ neither: one in 25
//     whatever is otherwise ─▶ the general way, in `ByteTable`, which begins anew in lines that are at hand by now
//
// A processor goes on to the next operations while one waits for its memory, as far as it has room for them. Measured with a
// million records, 160 ns away, on AMD's Zen 4: a load alone takes 340 ns, for its index word and then its record; loads in a
// row 132 each, since 2.6 are under way at once. The same in C takes 118 as a function of its own and 100 as part of the loop
// that asks for it, without the clock that every 64th operation reads (8 ns of each). So what an operation needs is short, in one
// piece and without a call; but ten loads more from the nearest cache, 18 results or 40 instructions change nothing by now.

extension ByteTable {
    /// What `found` makes of the record of `key`, or `absent` of the slot where it would be; nil where the straight way
    /// cannot tell. Goes by `whereabouts` alone: no line of the table itself is looked at.
    @inline(__always)
    static func search<R>(
        _ key: ShortKey, _ place: UInt32, by whereabouts: borrowing TableWhereabouts,
        found: (HashIndex.Position, Record, RecordLengths) -> R, absent: (HashIndex.Position) -> R
    ) -> R? {
        guard var start = unsafe whereabouts.start(of: place) else { return nil }
        // Safety: `start` is a slot of the index, behind which three more words stand; and where none of four words ends the
        // search, none is the last.
        var matches = unsafe mapwatch_words_of(start, place)
        while _slowPath(matches == 0) {
            let behind = unsafe mapwatch_words_behind(start, place)
            if _fastPath(behind != 0) {
                return unsafe absent(
                    HashIndex.Position(current: start + behind.trailingZeroBitCount, isThere: false))
            }
            unsafe start += 4
            matches = unsafe mapwatch_words_of(start, place)
        }
        let position = unsafe HashIndex.Position(current: start + matches.trailingZeroBitCount, isThere: true)
        let record = unsafe whereabouts.record(at: position.ref)
        let lengths = unsafe record.lengths
        guard unsafe _fastPath(record.isPlain(of: key, lengths)) else { return nil }
        return unsafe found(position, record, lengths)
    }

    /// Asks for the record that a search for `place` will probably come to.
    @inline(__always)
    static func fetchRecord(_ place: UInt32, by whereabouts: borrowing TableWhereabouts) {
        guard let start = unsafe whereabouts.start(of: place) else { return }
        // To its end: a record that is not asked for costs more than the other fifteen that are.
        let found = unsafe IndexArray.first(place, from: start)
        guard unsafe found.isThere else { return }
        let record = unsafe whereabouts.record(at: IndexArray.ref(found.slot.pointee))
        unsafe mapwatch_prefetch(record.base)
        unsafe mapwatch_prefetch(record.base + 64)
    }

    /// Adds an entry that a search has not found and that has no deadline: where its record is to be written, by whoever asks,
    /// before the table is left, and whether index words have moved, which is to be published then. Nil, and nothing changed,
    /// where it takes a slab or a longer index.
    ///
    /// The record last, because its value is copied by a call: what is done before need not be kept across that.
    @inline(__always)
    mutating func insert(
        _ place: UInt32, size: Int, at position: HashIndex.Position
    ) -> (record: Record, hasMoved: Bool)? {
        let units = RecordStore.units(size)
        guard index.hasRoom, units <= RecordStore.largestClass, let slot = unsafe store.takeFreeSlot(units) else {
            return nil
        }
        let hasMoved = unsafe index.insert(place, slot.ref, at: position, PlainWrites())
        return unsafe (slot.record, hasMoved)
    }

    /// Removes the entry of a plain record that a search has found; false, and nothing changed, where memory or slots would
    /// move with it.
    @inline(__always)
    mutating func remove(_ record: Record, at position: HashIndex.Position) -> Bool {
        guard index.mayRemove, let slot = store.freeableSlot(position.ref) else { return false }
        unsafe store.releaseSlot(slot, record, PlainWrites())
        index.removeAtRest(position, PlainWrites())
        return true
    }

    // MARK: - Values

    /// A copy of the value of `key`, or nil. Cost: one probe run and the copy.
    @inline(__always)
    func find(_ key: Span<UInt8>, _ hash: KeyHash, by whereabouts: borrowing TableWhereabouts) -> [UInt8]? {
        guard ShortKey.fits(key.count) else { return findBySearch(key, hash) }
        let straight: [UInt8]?? = unsafe ByteTable.search(ShortKey(key), hash.place, by: whereabouts) {
            unsafe [UInt8]($1.plainValue(keyCount: key.count, $2))
        } absent: { _ in
            nil
        }
        if let straight { return straight }
        return findBySearch(key, hash)
    }

    @inline(never)
    private func findBySearch(_ key: Span<UInt8>, _ hash: KeyHash) -> [UInt8]? {
        unsafe value(of: key, search(key, hash)).map { unsafe [UInt8]($0) }
    }

    /// The length of the value of `key`, which is copied to `output` when it fits into `room` there, or nil. Cost: as
    /// ``find(_:_:by:)``, without an allocation.
    @inline(__always)
    func copyValue(
        of key: Span<UInt8>, _ hash: KeyHash, by whereabouts: borrowing TableWhereabouts,
        to output: UnsafeMutableRawPointer?, room: Int
    ) -> Int? {
        guard ShortKey.fits(key.count) else { return unsafe copyValueBySearch(of: key, hash, to: output, room: room) }
        let straight: Int?? = unsafe ByteTable.search(ShortKey(key), hash.place, by: whereabouts) {
            unsafe $1.copyPlainValue(keyCount: key.count, $2, to: output, room: room)
        } absent: { _ in
            nil
        }
        if let straight { return straight }
        return unsafe copyValueBySearch(of: key, hash, to: output, room: room)
    }

    @inline(never)
    private func copyValueBySearch(
        of key: Span<UInt8>, _ hash: KeyHash, to output: UnsafeMutableRawPointer?, room: Int
    ) -> Int? {
        guard let value = unsafe value(of: key, search(key, hash)) else { return nil }
        // Safety: nothing is copied that has no room, and the output is no part of this table.
        unsafe mapwatch_copy(output, room, value.baseAddress, value.count)
        return value.count
    }

    /// Appends the value of `key` to `output`; false when it is not there. Cost: as ``copyValue(of:_:by:to:room:)``.
    @inline(__always)
    func appendValue(
        of key: Span<UInt8>, _ hash: KeyHash, by whereabouts: borrowing TableWhereabouts, to output: inout ByteBuffer
    ) -> Bool {
        guard ShortKey.fits(key.count) else { return appendValueBySearch(of: key, hash, to: &output) }
        let straight = unsafe ByteTable.search(ShortKey(key), hash.place, by: whereabouts) {
            unsafe output.append($1.plainValue(keyCount: key.count, $2))
            return true
        } absent: { _ in
            false
        }
        if let straight { return straight }
        return appendValueBySearch(of: key, hash, to: &output)
    }

    @inline(never)
    private func appendValueBySearch(of key: Span<UInt8>, _ hash: KeyHash, to output: inout ByteBuffer) -> Bool {
        guard let value = unsafe value(of: key, search(key, hash)) else { return false }
        unsafe output.append(value)
        return true
    }
}
