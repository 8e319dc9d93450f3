import TestSupport
import Testing

@testable import InstrumentedMaps

/// `max_bytes` of a map and of the process.
@Suite("Memory bound")
struct MemoryBoundTests {
    private static func key(_ number: Int) -> [UInt8] { Array("key-\(number)".utf8) }
    private static let value = [UInt8](repeating: 7, count: 500)

    /// Fills until the first refusal; how many entries went in.
    private func fill(_ map: any InstrumentedMap, atMost limit: Int = 100_000) -> Int {
        for number in 0..<limit where map.store(Self.key(number), Self.value) == .refused { return number }
        return limit
    }

    @Test(
        "a store over the map's bound is refused and counted, and nothing is lost", .timeLimit(.minutes(2)),
        arguments: MapShape.oneEach)
    func mapBound(shape: MapShape) throws {
        let host = MapHost { 0 }
        let name = try MapName("bounded")
        _ = try host.create(
            name,
            MapOptions(
                strategy: shape.strategy, shards: shape.shards, reads: shape.reads, maximumBytes: 1 << 20))
        let map = try host.mapForWriting(name)
        let stored = fill(map)
        // Of the optimistic shape's memory a part may be retired and not yet free.
        #expect(((shape.reads == .optimistic ? 500 : 1_000)..<2_000).contains(stored))
        let full = map.snapshot()
        #expect(full.sum(\.refusals) == 1)
        #expect(full.sum(\.writes) == UInt64(stored))
        #expect(full.sum(\.entries) == UInt64(stored))
        #expect(full.sum(\.allocatedBytes) <= 1 << 20)
        for number in 0..<stored { #expect(map.load(Self.key(number)) == Self.value, "\(number)") }
        #expect(map.load(Self.key(stored)) == nil)
        // An update that needs more is refused and keeps the old value; one that needs no more is not.
        #expect(map.store(Self.key(0), [UInt8](repeating: 1, count: 1 << 20)) == .refused)
        #expect(map.load(Self.key(0)) == Self.value)
        #expect(map.store(Self.key(0), [UInt8](repeating: 8, count: 500)) == .updated)
        // Deletes make room.
        for number in 0..<stored { map.delete(Self.key(number)) }
        map.settle(holdingAtMost: 1 << 18)
        #expect(fill(map, atMost: 500) == 500)
    }

    @Test("maps share the bound of the process, and a dropped map gives its part back")
    func processBound() throws {
        let host = MapHost(maximumBytes: 1 << 20) { 0 }
        let (first, second) = (try MapName("first"), try MapName("second"))
        _ = try host.create(first, MapOptions(shards: 4))
        _ = try host.create(second, MapOptions(shards: 4))
        let stored = fill(try host.mapForWriting(first))
        #expect((1_000..<2_000).contains(stored))
        #expect(try host.mapForWriting(second).store([1], [UInt8](repeating: 1, count: 100_000)) == .refused)
        let full = host.snapshot()
        #expect(full.maximumBytes == 1 << 20)
        #expect(full.allocatedBytes == full.maps.reduce(0) { $0 + $1.sum(\.allocatedBytes) })
        #expect(host.drop(first))
        #expect(host.snapshot().allocatedBytes < 1 << 16)
        #expect(try host.mapForWriting(second).store([1], [UInt8](repeating: 1, count: 100_000)) == .inserted)
    }

    @Test("what the budget has taken is what the tables hold, through growth, shrinking and compaction")
    func budgetIsExact() throws {
        let budget = MemoryBudget()
        do {
            var table = ByteTable(budget: budget)
            var generator = SeededGenerator(seed: TestSeed.value)
            for step in 0..<60_000 {
                let key = Self.key(Int.random(in: 0..<5_000, using: &generator))
                let hash = KeyHash(key.span)
                if Int.random(in: 0..<10, using: &generator) < (step / 10_000 % 2 == 0 ? 8 : 2) {
                    let size = step % 500 == 0 ? 5_000 : step % 300
                    _ = table.store(key.span, hash, value: [UInt8](repeating: 1, count: size).span)
                } else {
                    _ = table.remove(key.span, hash)
                }
                if step % 7 == 0 { _ = table.maintain(budget: 64) }
                let allocated = table.allocatedBytes
                guard UInt64(budget.bytesUsed) == allocated else {
                    Issue.record("step \(step): \(budget.bytesUsed) taken, \(allocated) held, \(TestSeed.note)")
                    return
                }
            }
        }
        #expect(budget.bytesUsed == 0, "the table is gone")
    }

    @Test("a bound that refuses at any moment leaves the table as it was", arguments: 0..<40)
    func refusalsAtRandom(run: Int) {
        // Every run runs dry at another allocation: slab, directory, index, large record.
        let budget = MemoryBudget(limit: 5_000 + run * 1_711)
        var table = ByteTable(budget: budget)
        var expected: [[UInt8]: [UInt8]] = [:]
        var generator = SeededGenerator(seed: TestSeed.value &+ UInt64(run))
        for step in 0..<3_000 {
            let key = Self.key(Int.random(in: 0..<400, using: &generator))
            let hash = KeyHash(key.span)
            if Int.random(in: 0..<3, using: &generator) > 0 {
                let value = [UInt8](
                    repeating: UInt8(truncatingIfNeeded: step), count: step % 11 == 0 ? 3_000 : step % 90)
                switch table.store(key.span, hash, value: value.span) {
                case .inserted: #expect(expected.updateValue(value, forKey: key) == nil)
                case .updated: #expect(expected.updateValue(value, forKey: key) != nil)
                case .refused: break
                }
            } else {
                #expect(table.remove(key.span, hash) == (expected.removeValue(forKey: key) != nil))
            }
            guard table.find(key.span, hash) == expected[key], table.count == expected.count,
                budget.bytesUsed <= budget.limit
            else {
                Issue.record("run \(run), step \(step), \(TestSeed.note)")
                return
            }
        }
        for (key, value) in expected { #expect(table.find(key.span, KeyHash(key.span)) == value) }
    }
}
