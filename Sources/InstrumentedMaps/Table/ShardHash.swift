/// Which hash of a key chooses its shard.
///
/// Its place within the shard is by the process' keyed hash whatever this says, so that a weak choice makes a shard hot
/// and no table slow.
public enum ShardHash: String, Sendable, CaseIterable {
    /// Under secrets of this process: even, and nobody can build keys that meet in one shard.
    case keyed
    /// FNV-1a, 64 bits folded to 32, its lower bits first, as `% shards` would take them: even for keys that nobody chose with care. For experiments: whoever can choose keys
    /// can make a shard hot.
    case fnv1a
    /// The last four bytes, the very last first: a map of 256 shards puts a key into the shard that its last byte names.
    /// For experiments: as uneven as the keys are.
    case identity

    /// 32 bits, of which the upper ones choose the shard; 0 for `keyed`, which has its own.
    @inline(never)
    func word(_ key: Span<UInt8>) -> UInt32 {
        switch self {
        case .keyed: 0
        case .fnv1a:
            ShardHash.folded(FNV1a64.hash(key))
        case .identity:
            key.indices.suffix(4).reversed().enumerated().reduce(0) { word, next in
                word | UInt32(key[next.element]) << UInt32(24 - 8 * next.offset)
            }
        }
    }

    private static func folded(_ hash: UInt64) -> UInt32 {
        // The upper bits of a short key are poor: the last bytes have not reached them.
        UInt32(truncatingIfNeeded: hash ^ hash >> 32).byteSwapped
    }
}
