import CSystem
import Glibc

// One entry inline in a slot of a slab:
//
//      0       4              8            10      12
//     ┌───────┬──────────────┬────────────┬───────┬─────────────┬───────────────┐
//     │ place │ value length │ key length │ state │ key bytes … │ value bytes … │
//     └───────┴──────────────┴────────────┴───────┴─────────────┴───────────────┘
//
// and one that expires, whose key begins 12 bytes later:
//
//      8            10      12         16     20         24
//     ┌────────────┬───────┬──────────┬──────┬──────────┬─────────────┬───────────────┐
//     │ key length │ state │ deadline │ next │ previous │ key bytes … │ value bytes … │
//     └────────────┴───────┴──────────┴──────┴──────────┴─────────────┴───────────────┘
//
// `place` is the half of the hash that the index is ordered by: a record that is moved finds its index word by it. The
// state is the offset of the key, so that one comparison of four bytes tells length and kind. `next` and `previous` chain
// the records of one slot of the ``ExpiryWheel``. A free slot has state 0 and, in the first four bytes, the next free
// slot of its slab.

/// Place, lengths and state.
let recordHeaderBytes = 12

/// Eight bytes of a record's header: the length of its value, the length of its key, its state.
struct RecordLengths {
    let word: UInt64

    @inline(__always)
    init(word: UInt64) { self.word = word }

    @inline(__always)
    init(_ header: UInt32, value: Int) {
        word = UInt64(header) &<< 32 | UInt64(UInt32(truncatingIfNeeded: value))
    }

    /// Length of the key and state.
    @inline(__always)
    var header: UInt32 { UInt32(truncatingIfNeeded: word &>> 32) }

    @inline(__always)
    var valueCount: Int { Int(truncatingIfNeeded: word & 0xffff_ffff) }
}

/// A pointer to one entry's slot.
///
/// Not thread safe: every use stands under the shard's lock.
@unsafe
struct Record {
    /// Deadline and the two links.
    static let expiryBytes = 12
    static let plain = UInt16(recordHeaderBytes)
    static let expiring = UInt16(recordHeaderBytes + expiryBytes)

    let base: UnsafeMutableRawPointer

    @inline(__always)
    init(base: UnsafeMutableRawPointer) { unsafe self.base = base }

    /// The bytes that an entry takes before they are rounded to a size class.
    @inline(__always)
    static func size(key: Int, value: Int) -> Int { recordHeaderBytes &+ key &+ value }

    /// The longest key and value that a header can tell of.
    static var maximumKeyBytes: Int { Int(UInt16.max) }
    static var maximumValueBytes: Int { Int(UInt32.max) }

    /// Writes a whole entry that does not expire into a slot that is large enough.
    @inline(__always)
    func write(place: UInt32, key: Span<UInt8>, value: Span<UInt8>) {
        unsafe write(place, key, value, state: Record.plain)
    }

    /// Writes a whole entry with a short key that does not expire into a slot that is large enough.
    @inline(__always)
    func write(place: UInt32, key: ShortKey, value: Span<UInt8>) {
        unsafe base.storeBytes(of: place, as: UInt32.self)
        let header = unsafe Record.header(UInt16(truncatingIfNeeded: key.count), Record.plain)
        let lengths = RecordLengths(header, value: value.count)
        unsafe base.storeBytes(of: lengths.word, toByteOffset: 4, as: UInt64.self)
        unsafe base.storeBytes(of: key.first, toByteOffset: recordHeaderBytes, as: UInt64.self)
        unsafe base.storeBytes(of: key.last, toByteOffset: recordHeaderBytes &- 8 &+ key.count, as: UInt64.self)
        unsafe copy(value, to: recordHeaderBytes &+ key.count)
    }

    /// Writes a whole entry that expires; the slot is large enough for ``expiryBytes`` more. Its links are for the wheel
    /// to set.
    func write(place: UInt32, key: Span<UInt8>, value: Span<UInt8>, deadline: UInt32) {
        unsafe base.storeBytes(of: deadline, toByteOffset: 12, as: UInt32.self)
        unsafe write(place, key, value, state: Record.expiring)
    }

    @inline(__always)
    private func write(_ place: UInt32, _ key: Span<UInt8>, _ value: Span<UInt8>, state: UInt16) {
        unsafe base.storeBytes(of: place, as: UInt32.self)
        unsafe base.storeBytes(of: UInt16(truncatingIfNeeded: key.count), toByteOffset: 8, as: UInt16.self)
        unsafe base.storeBytes(of: state, toByteOffset: 10, as: UInt16.self)
        unsafe copy(key, to: Int(state))
        unsafe writeValue(value, to: Int(state) &+ key.count)
    }

    /// Replaces the value of a plain record whose key has `keyCount` bytes; the slot is large enough. The place is not
    /// read from the record, which may still be on its way: see `mapwatch_copy`.
    @inline(__always)
    func writePlainValue(_ value: Span<UInt8>, keyCount: Int) {
        unsafe writeValue(value, to: recordHeaderBytes &+ keyCount)
    }

    @inline(__always)
    private func writeValue(_ value: Span<UInt8>, to offset: Int) {
        unsafe base.storeBytes(of: UInt32(truncatingIfNeeded: value.count), toByteOffset: 4, as: UInt32.self)
        unsafe copy(value, to: offset)
    }

    var place: UInt32 { unsafe base.load(as: UInt32.self) }
    var isLive: Bool { unsafe keyOffset != 0 }
    /// Whether the entry has a deadline.
    @inline(__always)
    var expires: Bool { unsafe keyOffset == Int(Record.expiring) }
    @inline(__always)
    var keyOffset: Int { unsafe Int(header >> 16) }
    @inline(__always)
    var keyCount: Int { unsafe Int(header & 0xffff) }
    /// Length of the key and state: read as one everywhere, so that it is read once.
    @inline(__always)
    private var header: UInt32 { unsafe base.load(fromByteOffset: 8, as: UInt32.self) }
    @inline(__always)
    var valueCount: Int { unsafe Int(base.load(fromByteOffset: 4, as: UInt32.self)) }
    var size: Int { unsafe keyOffset + keyCount + valueCount }

    var key: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base + keyOffset, count: keyCount)
    }

    @inline(__always)
    var value: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base + keyOffset + keyCount, count: valueCount)
    }

    /// Whether this is the record of `other`, and of an entry that does not expire; `lengths` are the record's.
    @inline(__always)
    func isPlain(of other: ShortKey, _ lengths: RecordLengths) -> Bool {
        let header = unsafe Record.header(UInt16(truncatingIfNeeded: other.count), Record.plain)
        guard lengths.header == header else { return false }
        // Safety: the record's key has as many bytes as the other, and both words lie within them.
        return unsafe Record.word(base, recordHeaderBytes) == other.first
            && Record.word(base, recordHeaderBytes &- 8 &+ other.count) == other.last
    }

    /// Whether this is the record of `other`, and of an entry that does not expire.
    @inline(__always)
    func isPlain(of other: Span<UInt8>) -> Bool {
        guard ShortKey.fits(other.count) else { return unsafe hasKey(other, Record.plain) }
        return unsafe isPlain(of: ShortKey(other), lengths)
    }

    /// The lengths of key and value, and the state, in one look.
    @inline(__always)
    var lengths: RecordLengths { unsafe RecordLengths(word: base.loadUnaligned(fromByteOffset: 4, as: UInt64.self)) }

    /// Whether this is the record of `other`.
    @inline(never)
    func hasKey(_ other: Span<UInt8>) -> Bool { unsafe hasKey(other, Record.plain) || hasKey(other, Record.expiring) }

    @inline(never)
    private func hasKey(_ other: Span<UInt8>, _ state: UInt16) -> Bool {
        guard let count = UInt16(exactly: other.count), unsafe header == Record.header(count, state) else {
            return false
        }
        // Safety: both sides have `count` readable bytes.
        return unsafe other.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return true }
            return unsafe memcmp(base + Int(state), start, bytes.count) == 0
        }
    }

    @inline(__always)
    private static func header(_ keyCount: UInt16, _ state: UInt16) -> UInt32 {
        UInt32(keyCount) | UInt32(state) << 16
    }

    /// The value of a plain record whose key has `keyCount` bytes; where it begins is known before the record is.
    @inline(__always)
    func plainValue(keyCount: Int, _ lengths: RecordLengths) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base + recordHeaderBytes + keyCount, count: lengths.valueCount)
    }

    /// Copies that to `output` when it fits into `room` there, and returns its length.
    @inline(__always)
    func copyPlainValue(
        keyCount: Int, _ lengths: RecordLengths, to output: UnsafeMutableRawPointer?, room: Int
    ) -> Int {
        // Safety: nothing is copied that has no room, and the output is no part of the table.
        unsafe mapwatch_copy(output, room, base + recordHeaderBytes + keyCount, lengths.valueCount)
        return lengths.valueCount
    }

    /// Replaces the value of a plain record by one of the same length.
    @inline(__always)
    func writeValue(_ value: Span<UInt8>, keyCount: Int) { unsafe copy(value, to: recordHeaderBytes &+ keyCount) }

    // MARK: - Expiry: only where `expires`

    /// The tick from which on the entry is gone.
    var deadline: UInt32 { unsafe base.load(fromByteOffset: 12, as: UInt32.self) }

    /// The record behind this one in its slot of the wheel; 0 is none.
    var next: UInt32 { unsafe base.load(fromByteOffset: 16, as: UInt32.self) }

    /// The record before this one, or the number of the wheel's slot.
    var previous: UInt32 { unsafe base.load(fromByteOffset: 20, as: UInt32.self) }

    /// Sets both links, in one word.
    func setLinks(next: UInt32, previous: UInt32, _ writes: some TableWrites) {
        let word = UInt64(next) | UInt64(previous) << 32
        unsafe writes.store(word, at: (base + 16).assumingMemoryBound(to: UInt64.self))
    }

    // MARK: - Free slots

    /// Marks the slot free and chains it to the slab's next free one.
    @inline(__always)
    func setFree(next: UInt32) {
        unsafe base.storeBytes(of: next, as: UInt32.self)
        unsafe base.storeBytes(of: 0, toByteOffset: 10, as: UInt16.self)
    }

    @inline(__always)
    var nextFree: UInt32 { unsafe base.load(as: UInt32.self) }

    @inline(__always)
    private static func word(_ start: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    @inline(__always)
    private func copy(_ bytes: Span<UInt8>, to offset: Int) {
        // The span's own count: that of a raw buffer looks whether there is a base address.
        let count = bytes.count
        unsafe bytes.withUnsafeBytes { source in
            guard count > 0 else { return }
            // Safety: the slot was sized for the bytes at this offset; where there are bytes, there is a base address.
            unsafe memcpy(base + offset, source.baseAddress.unsafelyUnwrapped, count)
        }
    }
}
