import Glibc

// One entry inline in a slot of a slab:
//
//      0       4              8            10      12
//     ┌───────┬──────────────┬────────────┬───────┬─────────────┬───────────────┐
//     │ place │ value length │ key length │ state │ key bytes … │ value bytes … │
//     └───────┴──────────────┴────────────┴───────┴─────────────┴───────────────┘
//
// `place` is the half of the hash that the index is ordered by: a record that is moved finds its index word by it. A free
// slot has state 0 and, in the first four bytes, the next free slot of its slab.

/// Place, lengths and state.
let recordHeaderBytes = 12

/// A pointer to one entry's slot.
///
/// Not thread safe: every use stands under the shard's lock.
@unsafe
struct Record {
    static let live: UInt16 = 1

    let base: UnsafeMutableRawPointer

    @inline(__always)
    init(base: UnsafeMutableRawPointer) { unsafe self.base = base }

    /// The bytes that an entry takes before they are rounded to a size class.
    @inline(__always)
    static func size(key: Int, value: Int) -> Int { recordHeaderBytes &+ key &+ value }

    /// The longest key and value that a header can tell of.
    static var maximumKeyBytes: Int { Int(UInt16.max) }
    static var maximumValueBytes: Int { Int(UInt32.max) }

    /// Writes a whole entry into a slot that is large enough.
    @inline(__always)
    func write(place: UInt32, key: Span<UInt8>, value: Span<UInt8>) {
        unsafe base.storeBytes(of: place, as: UInt32.self)
        unsafe base.storeBytes(of: UInt16(truncatingIfNeeded: key.count), toByteOffset: 8, as: UInt16.self)
        unsafe base.storeBytes(of: Record.live, toByteOffset: 10, as: UInt16.self)
        unsafe copy(key, to: recordHeaderBytes)
        unsafe writeValue(value)
    }

    /// Replaces the value; the slot is large enough.
    @inline(__always)
    func writeValue(_ value: Span<UInt8>) {
        unsafe base.storeBytes(of: UInt32(truncatingIfNeeded: value.count), toByteOffset: 4, as: UInt32.self)
        unsafe copy(value, to: recordHeaderBytes &+ keyCount)
    }

    var place: UInt32 { unsafe base.load(as: UInt32.self) }
    var isLive: Bool { unsafe base.load(fromByteOffset: 10, as: UInt16.self) == Record.live }
    @inline(__always)
    var keyCount: Int { unsafe Int(base.load(fromByteOffset: 8, as: UInt16.self)) }
    @inline(__always)
    var valueCount: Int { unsafe Int(base.load(fromByteOffset: 4, as: UInt32.self)) }
    var size: Int { unsafe Record.size(key: keyCount, value: valueCount) }

    var key: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base + recordHeaderBytes, count: keyCount)
    }

    @inline(__always)
    var value: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base + recordHeaderBytes + keyCount, count: valueCount)
    }

    /// Whether this is the record of `other`. Compared by words, the last of which overlaps the one before.
    @inline(__always)
    func hasKey(_ other: Span<UInt8>) -> Bool {
        let count = unsafe keyCount
        guard other.count == count else { return false }
        // Safety: both sides have `count` readable bytes, and every word lies within them.
        return unsafe other.withUnsafeBytes { bytes in
            guard let right = bytes.baseAddress else { return true }
            let left = unsafe UnsafeRawPointer(base + recordHeaderBytes)
            guard count >= 8 else { return unsafe memcmp(left, right, count) == 0 }
            var offset = 0
            while offset &+ 8 < count {
                if unsafe Record.word(left, offset) != Record.word(right, offset) { return false }
                offset &+= 8
            }
            return unsafe Record.word(left, count &- 8) == Record.word(right, count &- 8)
        }
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
