import TestSupport
import Testing

@testable import InstrumentedMaps

/// Memory that comes back, and growth in steps.
@Suite("Maintenance")
struct MaintenanceTests {
    private static func key(_ number: Int) -> [UInt8] { Array("key-\(number)".utf8) }

    @Test("after a mass delete at random most memory is given back, and every entry that stays is found")
    func memoryReturns() throws {
        let map = try MapShape(strategy: .sharded, shards: 4).make()
        let count = 60_000
        for number in 0..<count { map.store(Self.key(number), [UInt8](repeating: UInt8(number & 0xff), count: 100)) }
        let full = map.snapshot().sum(\.allocatedBytes)
        var generator = SeededGenerator(seed: TestSeed.value)
        var kept: [Int] = []
        for number in 0..<count {
            if Int.random(in: 0..<10, using: &generator) == 0 {
                kept.append(number)
            } else {
                map.delete(Self.key(number))
            }
        }
        let fragmented = map.snapshot().sum(\.allocatedBytes)
        #expect(fragmented > full / 2, "deletes at random leave nearly every slab in use")
        while map.maintain(budget: 1_000) > 0 {}
        let compact = map.snapshot()
        #expect(compact.sum(\.allocatedBytes) < full * 3 / 10, "\(TestSeed.note)")
        #expect(compact.sum(\.capacity) < UInt64(kept.count) * 5)
        #expect(compact.sum(\.entries) == UInt64(kept.count))
        for number in kept {
            #expect(map.load(Self.key(number)) == [UInt8](repeating: UInt8(number & 0xff), count: 100), "\(number)")
        }
    }

    @Test("maintenance between operations changes nothing that a caller sees", arguments: [40, 2_000])
    func maintenanceIsInvisible(poolSize: Int) {
        var table = ByteTable()
        var expected: [[UInt8]: [UInt8]] = [:]
        var generator = SeededGenerator(seed: TestSeed.value)
        for step in 0..<40_000 {
            let key = Self.key(Int.random(in: 0..<poolSize, using: &generator))
            let hash = KeyHash(key.span)
            // Fills, drains, fills: growth, shrinking and compaction in turn.
            if Int.random(in: 0..<1_000, using: &generator) < (step / 5_000 % 2 == 0 ? 800 : 150) {
                let value = [UInt8](repeating: UInt8(truncatingIfNeeded: step), count: step % 5 * 60)
                let isNew = table.store(key.span, hash, value: value.span) == .inserted
                #expect(isNew == (expected.updateValue(value, forKey: key) == nil), "\(TestSeed.note)")
            } else {
                let wasThere = table.remove(key.span, hash)
                #expect(wasThere == (expected.removeValue(forKey: key) != nil), "\(TestSeed.note)")
            }
            if step % 3 == 0 { _ = table.maintain(budget: Int.random(in: 1...64, using: &generator)) }
            let probe = Self.key(Int.random(in: 0..<poolSize, using: &generator))
            guard table.find(probe.span, KeyHash(probe.span)) == expected[probe] else {
                Issue.record("step \(step): \(probe) differs, \(TestSeed.note)")
                return
            }
        }
        var seen = 0
        table.forEach { key, value in
            seen += 1
            #expect(expected[[UInt8](copying: key)] == [UInt8](copying: value))
        }
        #expect(seen == expected.count)
        while table.maintain(budget: 64) > 0 {}
        let count = table.count
        #expect(count == expected.count)
    }

    @Test("a table that is emptied gives every record's memory back")
    func emptyGivesAllBack() {
        var table = ByteTable()
        for number in 0..<20_000 {
            let key = Self.key(number)
            _ = table.store(key.span, KeyHash(key.span), value: [UInt8](repeating: 1, count: 200).span)
        }
        for number in 0..<20_000 {
            let key = Self.key(number)
            _ = table.remove(key.span, KeyHash(key.span))
        }
        while table.maintain(budget: 64) > 0 {}
        let (live, allocated, capacity) = (table.liveBytes, table.allocatedBytes, table.capacity)
        #expect(live == 0)
        #expect(capacity <= 16)
        // The directory of the slabs stays.
        #expect(allocated < 16_384)
    }

    @Test("where a store does not say that it may compact, no slab can be emptied")
    func mayCompact() throws {
        var store = RecordStore(budget: MemoryBudget())
        var generator = SeededGenerator(seed: TestSeed.value)
        let (writes, key, values) = (PlainWrites(), [UInt8(1)], [10, 40, 300, 1_000, 1_900])
        var refs: [RecordRef] = []
        var (said, compacted) = (0, 0)
        for step in 0..<40_000 {
            let isGrowing = step / 4_000 % 2 == 0
            if refs.isEmpty || Int.random(in: 0..<10, using: &generator) < (isGrowing ? 7 : 3) {
                let value = [UInt8](repeating: 1, count: try #require(values.randomElement(using: &generator)))
                let ref = try #require(store.allocate(unsafe Record.size(key: 1, value: value.count), writes))
                unsafe writes.write(store.record(at: ref), place: 1, key: key.span, value: value.span)
                refs.append(ref)
            } else {
                refs.swapAt(Int.random(in: refs.indices, using: &generator), refs.count - 1)
                store.release(refs.removeLast(), writes)
            }
            if step % 100 == 0 {
                compacted += store.compact(budget: step % 500 == 0 ? 20 : 1_000, writes) { _, old, new in
                    guard let place = refs.firstIndex(where: { $0.bits == old.bits }) else { return }
                    refs[place] = new
                }
            }
            if store.upkeep.contains(.chores) {
                said += 1
            } else {
                for units in 1...128 where store.victim(units) != nil { Issue.record("\(units), \(TestSeed.note)") }
            }
        }
        #expect(compacted > 1_000 && said < 39_000, "\(compacted) moved, said \(said) times")
    }

    @Test("a shard where nothing is to be tidied is not locked, however much it is written")
    func nothingToDo() throws {
        let map = try MapShape(strategy: .sharded, shards: 8).make()
        for number in 0..<400 { map.store(Self.key(number), [1]) }
        while map.maintain(budget: 1_000) > 0 {}
        for number in 0..<400 { map.store(Self.key(number), [2]) }
        for number in 0..<20 {
            map.delete(Self.key(number))
            map.store(Self.key(number), [3])
        }
        let taken = map.snapshot().sum(\.lockAcquired)
        #expect(map.maintain(budget: 1_000) == 0)
        #expect(map.snapshot().sum(\.lockAcquired) == taken)
        // Many, so that slabs are left half empty.
        for number in 0..<8_000 { map.store(Self.key(number), [UInt8](repeating: 4, count: 100)) }
        for number in 0..<7_000 { map.delete(Self.key(number)) }
        let written = map.snapshot().sum(\.lockAcquired)
        while map.maintain(budget: 1_000) > 0 {}
        let tidied = map.snapshot().sum(\.lockAcquired)
        #expect(tidied > written)
        #expect(map.maintain(budget: 1_000) == 0)
        #expect(map.snapshot().sum(\.lockAcquired) == tidied)
    }

    @Test("a million entries of 12 and 100 bytes cost at most 32 bytes more each")
    func overhead() throws {
        let map = try MapShape(strategy: .sharded, shards: nil).make()
        let count = 1_000_000
        let value = [UInt8](repeating: 1, count: 100)
        var key = [UInt8](repeating: UInt8(ascii: "0"), count: 12)
        for number in 0..<count {
            var rest = number
            for place in 0..<7 {
                key[11 - place] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
            map.store(key, value)
        }
        while map.maintain(budget: 10_000) > 0 {}
        let perEntry = Double(map.snapshot().sum(\.allocatedBytes)) / Double(count)
        #expect(perEntry - 112 <= 32, "\(perEntry - 112) bytes beyond key and value")
    }
}
