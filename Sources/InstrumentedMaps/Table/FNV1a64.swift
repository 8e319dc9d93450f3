/// Fowler, Noll and Vo's hash of 64 bits, variant 1a, as Go's `hash/fnv` computes it: what names a key where the key itself
/// must not stand. No secret is in it, so anybody can compute it for a key that he knows.
public enum FNV1a64 {
    /// Cost: one multiplication a byte. Nothing hashes to cbf29ce484222325.
    @inline(__always)
    public static func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01b3 }
        return hash
    }
}
