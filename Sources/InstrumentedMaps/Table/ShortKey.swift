/// A key of 8 to 16 bytes, which nearly all have, as two words: its first eight bytes and its last, which may overlap.
///
/// Read once, and then hashed, compared and written from registers: a processor has room for so many loads under way (see
/// `ByteTable+Straight.swift`).
struct ShortKey {
    let first: UInt64
    let last: UInt64
    let count: Int

    /// Whether a key of `count` bytes is one.
    @inline(__always)
    static func fits(_ count: Int) -> Bool { UInt(bitPattern: count &- 8) <= 8 }

    /// `key` must fit.
    @inline(__always)
    init(_ key: Span<UInt8>) {
        assert(ShortKey.fits(key.count), "a key of \(key.count) bytes is no short one")
        // The span's own count: that of a raw buffer looks whether there is a base address, in every operation.
        let count = key.count
        // Safety: both words lie within the key, which has a base address since it has bytes.
        (first, last) = unsafe key.withUnsafeBytes { bytes in
            let start = unsafe bytes.baseAddress.unsafelyUnwrapped
            return unsafe (
                start.loadUnaligned(as: UInt64.self), start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            )
        }
        self.count = count
    }
}
