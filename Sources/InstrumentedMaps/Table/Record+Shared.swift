// The same record, written where readers look on and read by them. In words:
//
//     0  │ place         │ value length               │
//     8  │ key length │ state │ first 4 bytes of the key │
//     16 │ key … value …
//
// and one that expires:
//
//     8  │ key length │ state │ deadline               │
//     16 │ next          │ previous                    │     of no concern to readers
//     24 │ key … value …
//
// A slot is a multiple of 16 bytes and so is, near enough, a block of its own: the last word is never shared.

extension Record {
    /// As ``write(place:key:value:)``.
    func publish(place: UInt32, key: Span<UInt8>, value: Span<UInt8>) {
        unsafe publish(place, key, value, state: Record.plain, deadline: 0)
    }

    /// As ``write(place:key:value:deadline:)``.
    func publish(place: UInt32, key: Span<UInt8>, value: Span<UInt8>, deadline: UInt32) {
        unsafe publish(place, key, value, state: Record.expiring, deadline: deadline)
    }

    @inline(__always)
    private func publish(
        _ place: UInt32, _ key: Span<UInt8>, _ value: Span<UInt8>, state: UInt16, deadline: UInt32
    ) {
        let second = UInt64(key.count) | UInt64(state) << 16 | UInt64(deadline) << 32
        unsafe SharedWords.store(second, at: base + 8)
        unsafe publish(key, at: Int(state))
        unsafe SharedWords.store(UInt64(place) | UInt64(value.count) << 32, at: base)
        unsafe publish(value, at: Int(state) &+ key.count)
    }

    /// As ``writeValue(_:)``.
    func publishValue(_ value: Span<UInt8>) {
        unsafe SharedWords.store(UInt64(place) | UInt64(value.count) << 32, at: base)
        unsafe publish(value, at: keyOffset &+ keyCount)
    }

    /// As ``setFree(next:)``.
    func publishFree(next: UInt32) {
        unsafe SharedWords.store(UInt64(next), at: base)
        unsafe SharedWords.store(0, at: base + 8)
    }

    @inline(__always)
    private func publish(_ bytes: Span<UInt8>, at offset: Int) {
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            // Safety: the slot was sized for the bytes at this offset.
            unsafe SharedWords.write(start, source.count, to: base, at: offset)
        }
    }
}

/// The two words that a record begins with, as a reader has copied them: true once the table's version has been looked
/// at again.
struct RecordHeader {
    let first: UInt64
    let second: UInt64

    /// Safety: `record` is aligned and 16 bytes are readable.
    @inline(__always)
    init(_ record: UnsafeRawPointer) {
        first = unsafe SharedWords.load(record)
        second = unsafe SharedWords.load(record + 8)
    }

    var valueCount: Int { Int(first >> 32) }
    var keyCount: Int { Int(second & 0xffff) }
    /// Where the key begins.
    var keyOffset: Int { Int(second >> 16 & 0xffff) }
    var expires: Bool { unsafe keyOffset == Int(Record.expiring) }
    /// Only where the entry expires.
    var deadline: UInt32 { UInt32(truncatingIfNeeded: second >> 32) }

    /// Whether the key of the record is `key`, compared word by word where the record is aligned.
    ///
    /// Safety: this is the true header of `record`.
    @inline(__always)
    func hasKey(_ key: Span<UInt8>, in record: UnsafeRawPointer) -> Bool {
        let count = key.count
        guard keyCount == count else { return false }
        return unsafe key.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, count > 0 else { return true }
            if expires { return unsafe RecordHeader.areEqual(record + keyOffset, start, count) }
            if count <= 4 {
                let kept = second >> 32 & (1 << UInt64(count * 8) &- 1)
                return unsafe kept == SharedWords.partialWord(start, count)
            }
            guard second >> 32 == UInt64(unsafe start.loadUnaligned(as: UInt32.self)) else { return false }
            return unsafe RecordHeader.areEqual(record + recordHeaderBytes + 4, start + 4, count &- 4)
        }
    }

    /// Compares `count` bytes at an aligned address that others may write with some of our own.
    ///
    /// Safety: both are readable, the first to the end of its last word.
    @inline(__always)
    private static func areEqual(_ shared: UnsafeRawPointer, _ own: UnsafeRawPointer, _ count: Int) -> Bool {
        var offset = 0
        while offset &+ 8 <= count {
            let word = unsafe SharedWords.load(shared + offset)
            guard unsafe own.loadUnaligned(fromByteOffset: offset, as: UInt64.self) == word else { return false }
            offset &+= 8
        }
        let rest = count &- offset
        guard rest > 0 else { return true }
        let kept = unsafe SharedWords.load(shared + offset) & (1 << UInt64(rest * 8) &- 1)
        return unsafe kept == SharedWords.partialWord(own + offset, rest)
    }

    /// A copy of the value.
    ///
    /// Safety: as above.
    @inline(__always)
    func value(in record: UnsafeRawPointer) -> [UInt8] {
        let count = valueCount
        // An array of capacity 0 would write its count of 0 to the one empty array that all share.
        guard count > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let start = buffer.baseAddress {
                unsafe SharedWords.read(record, at: keyOffset &+ keyCount, count, to: start)
            }
            initialized = count
        }
    }

    /// The length of the value, which is copied to `output` when it fits there.
    ///
    /// Safety: as above.
    @inline(__always)
    func copyValue(in record: UnsafeRawPointer, to output: UnsafeMutableRawPointer?, room: Int) -> Int {
        let count = valueCount
        if count <= room, let start = unsafe output {
            unsafe SharedWords.read(record, at: keyOffset &+ keyCount, count, to: start)
        }
        return count
    }
}
