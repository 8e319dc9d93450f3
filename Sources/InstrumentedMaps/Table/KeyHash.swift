/// The hash of a key: 64 bits, keyed per process.
///
/// Keys come from strangers, so the hash must not be predictable: SipHash-1-3 with a random key, which is what the
/// standard library's `Hasher` is unless `SWIFT_DETERMINISTIC_HASHING` is set (the daemon refuses to start then).
/// Keys are hashed as raw bytes, never as `String`: hashing a long key of combining marks as text takes seconds.
///
///     63            48 47          32 31                    0
///     ├ shard (top bits, by multiplication) ─┤
///                     ├── tag ──────┤├── slot (low bits) ───┤
struct KeyHash: Equatable {
    let bits: UInt64

    init(bits: UInt64) { self.bits = bits }

    init(_ key: Span<UInt8>) {
        var hasher = Hasher()
        // Safety: the bytes are only read, within the call.
        unsafe key.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        bits = UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// The shard of `count`, any number, by the hash's top bits.
    func shard(of count: Int) -> Int {
        Int(truncatingIfNeeded: bits.multipliedFullWidth(by: UInt64(truncatingIfNeeded: count)).high)
    }

    /// The 16 bits that a slot keeps, so that most misses touch no record.
    var tag: UInt64 { (bits >> 32) & 0xffff }

    /// The slot where a search begins, in a table of a power of two.
    func home(mask: Int) -> Int { Int(truncatingIfNeeded: bits) & mask }
}
