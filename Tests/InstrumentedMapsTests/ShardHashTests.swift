import Testing

@testable import InstrumentedMaps

@Suite("The hash that chooses a shard")
struct ShardHashTests {
    private static let shards = 256

    /// User ids of four bytes, of which nearly all end in the byte 197.
    private func skewedKeys() -> [[UInt8]] {
        (0..<20_000).map { (number: Int) in
            [
                UInt8(number >> 16), UInt8(number >> 8 & 255), UInt8(number & 255),
                number % 10 < 9 ? 197 : UInt8(number % 256),
            ]
        }
    }

    private func entries(of hash: ShardHash, _ keys: [[UInt8]]) throws -> [UInt64] {
        let host = MapHost { 0 }
        let name = try MapName("users")
        _ = try host.create(name, MapOptions(shards: Self.shards, hash: hash))
        let map = try #require(host.map(name))
        for key in keys { map.store(key, key) }
        for key in keys { #expect(map.load(key) == key) }
        return map.snapshot().shards.map(\.entries)
    }

    @Test("ids that end alike are all in one shard by identity, and flat by the others", arguments: ShardHash.allCases)
    func skew(hash: ShardHash) throws {
        let entries = try entries(of: hash, skewedKeys())
        let mean = Double(entries.reduce(0, +)) / Double(Self.shards)
        let hottest = try #require(entries.max())
        if hash == .identity {
            #expect(entries[197] == hottest)
            #expect(Double(hottest) / mean > 200)
        } else {
            #expect(Double(hottest) / mean < 1.6)
        }
    }

    @Test(
        "single operations, batches, steps and iterators find the same entries", arguments: ShardHash.allCases,
        ReadMode.allCases)
    func allPaths(hash: ShardHash, reads: ReadMode) throws {
        let host = MapHost { 0 }
        let name = try MapName("users")
        _ = try host.create(name, MapOptions(shards: Self.shards, reads: reads, hash: hash))
        let map = try host.mapForWriting(name)
        let keys = skewedKeys().prefix(100)
        var batch = MapBatch()
        for key in keys { batch.store(key.span, key.span) }
        map.perform(&batch)
        for key in keys { #expect(map.load(key) == key) }
        for key in keys { #expect(!map.insertIfAbsent(key, [])) }
        let iterator = try map.iterate(.live, prefix: [], maximumBytes: 0)
        #expect(Set(iterator.next(limit: 200, maximumBytes: .max).map(\.key)) == Set(keys))
        for key in keys { #expect(map.delete(key)) }
    }

    @Test("FNV-1a is the published one")
    func knownAnswers() {
        // From the authors' test vectors: 64 bits, here folded to 32, the lowest byte first.
        for (key, hash) in [
            ("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8),
        ]
            as [(String, UInt64)]
        {
            #expect(
                ShardHash.fnv1a.word(Array(key.utf8).span) == UInt32(truncatingIfNeeded: hash ^ hash >> 32).byteSwapped)
        }
    }

    @Test("identity takes the last four bytes, and fewer where there are fewer")
    func identity() {
        #expect(ShardHash.identity.word([1, 2, 3, 4, 5].span) == 0x0504_0302)
        #expect(ShardHash.identity.word([7].span) == 0x0700_0000)
    }

    @Test("a key's place in its shard is by the keyed hash, whatever chooses the shard")
    func place() {
        let key: [UInt8] = [9, 8, 7, 6, 5]
        for hash in ShardHash.allCases {
            #expect(KeyHash(key.span, .process, shardBy: hash).place == KeyHash(key.span).place)
        }
        #expect(KeyHash(key.span, .process, shardBy: .keyed) == KeyHash(key.span))
    }
}
