/// The hash of a key, 64 bits, of which each part chooses something else:
///
///     63                            32 31                             0
///     ├── shard (by multiplication) ──┤├── place in the shard's index ──┤
@usableFromInline
struct KeyHash: Equatable, Sendable {
    @usableFromInline let bits: UInt64

    @inlinable
    init(bits: UInt64) { self.bits = bits }

    /// The hash under the secrets of `hasher`.
    @inline(__always)
    init(_ key: Span<UInt8>, _ hasher: KeyHasher = .process) {
        bits = hasher.hash(key)
    }

    @inline(__always)
    init(_ key: ShortKey, _ hasher: KeyHasher) { bits = hasher.hash(key) }

    /// The same, where another hash may choose the shard. Costs one predicted branch where none does.
    @inline(__always)
    init(_ key: Span<UInt8>, _ hasher: KeyHasher, shardBy shardHash: ShardHash) {
        self.init(key, hasher)
        if _slowPath(shardHash != .keyed) {
            self.init(bits: UInt64(shardHash.word(key)) << 32 | UInt64(UInt32(truncatingIfNeeded: bits)))
        }
    }

    /// The shard of `count`, any number, by the hash's top bits.
    @inlinable
    @inline(__always)
    func shard(of count: Int) -> Int {
        Int(truncatingIfNeeded: bits.multipliedFullWidth(by: UInt64(truncatingIfNeeded: count)).high)
    }

    /// What the index is ordered by. Odd, and so never 0, which is the place of an empty word.
    @inlinable var place: UInt32 { UInt32(truncatingIfNeeded: bits) | 1 }
}
