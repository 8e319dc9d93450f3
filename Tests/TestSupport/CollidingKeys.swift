/// Keys that collide under hashes without a secret: what a stranger would send who wants a map to crawl.
public enum CollidingKeys: String, Sendable, CaseIterable {
    /// Numbers whose low 32 bits are 0: all in one place by identity, or by any mask of the low bits.
    case lowBits
    /// Numbers in a row: neighbours by identity.
    case counting
    /// Two words, the first 0: a product without secrets is 0.
    case firstWordZero
    /// Two words, the second 0.
    case secondWordZero
    /// Five words with zeroes behind the first two: each step of a product without secrets forgets the one before.
    case zeroBlocks
    /// Two words and the same the other way round: factors without secrets can be swapped.
    case swapped
    /// "Aa" and "BB" in any order: equal under `31 * hash + byte`, in any width.
    case polynomial

    /// The key of this number; all below 2^20 differ.
    public func key(_ number: Int) -> [UInt8] {
        let word = UInt64(number)
        switch self {
        case .lowBits: return Self.bytes([word << 32])
        case .counting: return Self.bytes([word])
        case .firstWordZero: return Self.bytes([0, word + 1])
        case .secondWordZero: return Self.bytes([word + 1, 0])
        case .zeroBlocks: return Self.bytes([word + 1, word + 1, 0, 0, 0])
        case .swapped:
            let (one, other) = (word / 2 + 1, UInt64.max - word / 2)
            return Self.bytes(number % 2 == 0 ? [one, other] : [other, one])
        case .polynomial:
            return (0..<20).flatMap { Array((number >> $0 & 1 == 0 ? "Aa" : "BB").utf8) }
        }
    }

    /// As many bytes that nobody has built.
    public static func randomKey(_ count: Int, using generator: inout SeededGenerator) -> [UInt8] {
        var key: [UInt8] = []
        while key.count < count { key += bytes([generator.next()]) }
        return Array(key.prefix(count))
    }

    private static func bytes(_ words: [UInt64]) -> [UInt8] {
        words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) } }
    }
}
