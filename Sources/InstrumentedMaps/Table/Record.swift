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

    /// Whether this is the record of `other`, and of an entry that does not expire.
    @inline(__always)
    func isPlain(of other: Span<UInt8>) -> Bool {
        let count = other.count
        guard KeyHasher.isShort(count) else { return unsafe hasKey(other, Record.plain) }
        guard unsafe header == Record.header(UInt16(truncatingIfNeeded: count), Record.plain) else { return false }
        // Safety: both sides have `count` readable bytes, and every word lies within them.
        return unsafe other.withUnsafeBytes { bytes in
            let (left, right) = unsafe (UnsafeRawPointer(base + recordHeaderBytes), bytes.baseAddress.unsafelyUnwrapped)
            return unsafe Record.word(left, 0) == Record.word(right, 0)
                && Record.word(left, count &- 8) == Record.word(right, count &- 8)
        }
    }

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

    /// The value of a plain record whose key has `keyCount` bytes: known before the record is.
    @inline(__always)
    func plainValue(keyCount: Int) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base + recordHeaderBytes + keyCount, count: valueCount)
    }

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
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            // Safety: the slot was sized for the bytes at this offset.
            unsafe memcpy(base + offset, start, source.count)
        }
    }
}
