import TestSupport
import Testing

@testable import InstrumentedMaps

/// The table alone, with hashes of our choice: collisions that real keys meet once in a blue moon.
@Suite("ByteTable")
struct ByteTableTests {
    /// Few homes, one tag: every search has to compare keys, runs grow long and wrap around the table's end.
    enum Clash: String, Sendable, CaseIterable {
        case oneHome
        case lastHome
        case aroundTheEnd
        case fourHomes

        func hash(of key: [UInt8]) -> KeyHash {
            let last = UInt64(key.last ?? 0)
            return switch self {
            case .oneHome: KeyHash(bits: 0)
            case .lastHome: KeyHash(bits: 0x1234_ffff_ffff)
            case .aroundTheEnd: KeyHash(bits: 0xffff_fffd &+ last % 6)
            case .fourHomes: KeyHash(bits: last % 4 * 3)
            }
        }
    }

    /// Keys of few lengths that differ only behind a zero, or in their first or last byte.
    private static let keys: [[UInt8]] = (0..<20).flatMap { (number: UInt8) -> [[UInt8]] in
        [[0, number], [number, 0, 0], [0, 0, number], [number], [0xff, 0, 0, number]]
    }

    private static func contents(_ table: borrowing ByteTable) -> [MapEntry] {
        var entries: [MapEntry] = []
        table.forEach { key, value in
            entries.append(MapEntry(key: [UInt8](copying: key), value: [UInt8](copying: value)))
        }
        return entries
    }

    @Test("keys that clash are told apart, whatever is stored and deleted between", arguments: Clash.allCases)
    func clashingKeys(clash: Clash) {
        var table = ByteTable()
        var expected: [[UInt8]: [UInt8]] = [:]
        var generator = SeededGenerator(seed: TestSeed.value)
        for step in 0..<4_000 {
            let key = Self.keys[Int.random(in: 0..<Self.keys.count, using: &generator)]
            let hash = clash.hash(of: key)
            // The table fills, drains and fills again.
            if Int.random(in: 0..<1_000, using: &generator) < (step / 1_000 % 2 == 0 ? 700 : 300) {
                let value = [UInt8](repeating: UInt8(truncatingIfNeeded: step), count: step % 70)
                let isNew = table.store(key.span, hash, value: value.span) == .inserted
                #expect(isNew == (expected.updateValue(value, forKey: key) == nil), "\(TestSeed.note)")
            } else {
                let wasThere = table.remove(key.span, hash)
                #expect(wasThere == (expected.removeValue(forKey: key) != nil), "\(TestSeed.note)")
            }
            guard step % 20 == 0 else { continue }
            for key in Self.keys {
                let found = table.find(key.span, clash.hash(of: key))
                guard found == expected[key] else {
                    Issue.record("step \(step): \(key) differs, \(TestSeed.note)")
                    return
                }
            }
        }
        let entries = Self.contents(table)
        #expect(entries.count == expected.count, "\(TestSeed.note)")
        #expect(entries.allSatisfy { expected[$0.key] == $0.value }, "\(TestSeed.note)")
        let count = table.count
        #expect(count == expected.count)
    }

    @Test("a table grows by half at four fifths full, shrinks again, and keeps a delete's slot free of tombstones")
    func growsAndShrinks() {
        var table = ByteTable()
        var capacities: [Int] = [table.capacity]
        for number in 0..<100 {
            let key = [UInt8(number)]
            _ = table.store(key.span, KeyHash(key.span), value: key.span)
            if capacities.last != table.capacity { capacities.append(table.capacity) }
        }
        #expect(capacities == [0, 8, 16, 24, 36, 54, 81, 121, 181])
        // As many entries come and go as would fill it many times over with tombstones.
        for number in 0..<10_000 {
            let key = Array("\(number)".utf8)
            _ = table.store(key.span, KeyHash(key.span), value: key.span)
            _ = table.remove(key.span, KeyHash(key.span))
        }
        #expect(capacities.contains(table.capacity))
        for number in 0..<100 {
            let key = [UInt8(number)]
            _ = table.remove(key.span, KeyHash(key.span))
        }
        let (capacity, count) = (table.capacity, table.count)
        #expect(capacity == 8)
        #expect(count == 0)
    }

    @Test("a key of 65,535 bytes is stored whole, and one byte more is a mistake that traps")
    func longestKey() async {
        var table = ByteTable()
        let longest = [UInt8](repeating: 1, count: 65_535)
        #expect(table.store(longest.span, KeyHash(longest.span), value: [7].span) == .inserted)
        #expect(table.find(longest.span, KeyHash(longest.span)) == [7])
        await #expect(processExitsWith: .failure) {
            var table = ByteTable()
            let tooLong = [UInt8](repeating: 1, count: 65_536)
            _ = table.store(tooLong.span, KeyHash(tooLong.span), value: [7].span)
        }
    }

    @Test("shards are chosen evenly, for any number of them", arguments: [1, 2, 3, 16, 100, 1_024])
    func shardsAreEven(shards: Int) {
        var counts = [Int](repeating: 0, count: shards)
        for number in 0..<(shards * 400) {
            let key = Array("key-\(number)".utf8)
            counts[KeyHash(key.span).shard(of: shards)] += 1
        }
        // Seven standard deviations around 400.
        #expect(counts.allSatisfy { (260...540).contains($0) })
    }
}
