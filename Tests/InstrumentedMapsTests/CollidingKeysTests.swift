import TestSupport
import Testing

@testable import InstrumentedMaps

@Suite("Colliding keys")
struct CollidingKeysTests {
    private static let count = 50_000
    private static let shards = 32

    /// How many slots a search for each key looks at, on average, in index arrays of 32 shards that are 80 % full.
    private func slotsVisited(_ key: (Int) -> [UInt8]) -> Double {
        let budget = MemoryBudget()
        let capacity = Self.count / Self.shards * 5 / 4
        var arrays = (0..<Self.shards).compactMap { _ in IndexArray(capacity: capacity, budget: budget) }
        defer { for array in arrays { array.block?.free() } }
        for number in 0..<Self.count {
            let hash = KeyHash(key(number).span)
            let shard = hash.shard(of: Self.shards)
            let word = UInt64(hash.place) << 32 | UInt64(number + 1)
            arrays[shard].insert(word, from: arrays[shard].home(hash.place), budget: budget, PlainWrites())
        }
        var visited = 0
        for array in arrays {
            for slot in 0..<array.limit {
                // Safety: slots below `limit` are readable.
                let word = unsafe array.words[slot]
                if word != 0 { visited += slot - array.home(IndexArray.place(word)) + 1 }
            }
        }
        return Double(visited) / Double(Self.count)
    }

    @Test(
        "keys built to collide cost less than half as many slots again as random ones",
        arguments: CollidingKeys.allCases)
    func built(keys: CollidingKeys) {
        var generator = SeededGenerator(seed: TestSeed.value)
        let random = (0..<Self.count).map { _ in CollidingKeys.randomKey(16, using: &generator) }
        let usual = slotsVisited { random[$0] }
        let built = slotsVisited(keys.key)
        #expect((1.5..<4).contains(usual), "\(TestSeed.note)")
        #expect(built < usual * 1.5, "\(built) slots against \(usual)")
    }

    @Test("a secret that happens to be a key's length does not wipe its hash out", arguments: 1...40)
    func secretOfLength(count: Int) {
        var generator = SeededGenerator(seed: TestSeed.value)
        let words = (generator.next(), generator.next(), generator.next(), UInt64(count))
        let hasher = KeyHasher(secrets: words)
        let hashes = (0..<100).map { hasher.hash([UInt8](repeating: $0, count: count).span) }
        #expect(Set(hashes).count == 100, "\(TestSeed.note)")
    }
}
