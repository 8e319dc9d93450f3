import Instruments
import Synchronization
import TestSupport
import Testing

@testable import InstrumentedMaps

// What each kind of iteration promises, under threads that insert, delete, make tables grow and shrink, with a seed:
//
//     stable keys      there throughout: every kind shows each of them, exactly once
//     pairs a, b       a is always stored before b: whoever sees one moment sees a ≥ b ≥ a − 1
//                      in one shard for a snapshot, in two for a locked walk

@Suite("What iterations promise")
struct IterationPropertyTests {
    private static let stableCount = 400

    enum Kind: Sendable, CaseIterable {
        case live
        case snapshot
        case locked
    }

    /// Keys that stay, beside churn and pairs.
    private func filled(_ shape: MapShape) throws -> any InstrumentedMap {
        let map = try shape.make()
        for number in 0..<Self.stableCount { map.store(key(number), key(number)) }
        return map
    }

    /// Stores and deletes blocks of keys, so that tables grow and shrink all the while, until `done`.
    private func churn(_ map: any InstrumentedMap, _ thread: Int, until done: Flag, _ steps: Tally) {
        var random = SeededGenerator(seed: TestSeed.value &+ UInt64(thread))
        while !done.isRaised {
            let keys = (0..<Int.random(in: 50...4_000, using: &random)).map { Array("churn-\(thread)-\($0)".utf8) }
            for key in keys where !done.isRaised {
                map.store(key, [UInt8](repeating: 1, count: Int(key.count)))
                steps.add()
            }
            if Bool.random(using: &random) {
                _ = map.deleteMatching(prefix: Array("churn-\(thread)-".utf8))
            } else {
                for key in keys where !done.isRaised { map.delete(key) }
            }
            _ = map.maintain(budget: 1_000)
        }
    }

    private func walk(_ kind: Kind, over map: any InstrumentedMap, _ random: inout SeededGenerator) throws -> [MapEntry]
    {
        var seen: [MapEntry] = []
        let iterator: any MapIterator
        switch kind {
        case .locked:
            map.forEachLocked { seen.append(MapEntry(key: [UInt8](copying: $0), value: [UInt8](copying: $1))) }
            return seen
        case .live: iterator = try map.iterate(.live, prefix: [], maximumBytes: 0)
        case .snapshot: iterator = try map.iterate(.snapshot, prefix: [], maximumBytes: 1 << 30)
        }
        while !iterator.isAtEnd { seen += iterator.next(limit: Int.random(in: 1...700, using: &random)) }
        return seen
    }

    @Test(
        "no key that is there throughout is omitted, and none comes twice", arguments: MapShape.oneEach, Kind.allCases)
    func omitsNothing(shape: MapShape, kind: Kind) throws {
        let map = try filled(shape)
        let stable = Set((0..<Self.stableCount).map(key))
        let (done, steps, threads) = (Flag(), Tally(), ThreadGroup())
        for thread in 0..<3 { threads.start { churn(map, thread, until: done, steps) } }
        defer { threads.join() }
        defer { done.raise() }
        var random = SeededGenerator(seed: TestSeed.value)
        for _ in 0..<8 {
            let reached = steps.value
            let seen = try walk(kind, over: map, &random)
            let keys = Set(seen.map(\.key))
            #expect(keys.count == seen.count, "\(TestSeed.note)")
            #expect(keys.isSuperset(of: stable), "\(TestSeed.note)")
            let wrong = seen.filter { stable.contains($0.key) && $0.value != $0.key }
            #expect(wrong.isEmpty, "\(TestSeed.note)")
            #expect(eventually { steps.value > reached + 100 })
        }
    }

    /// Two keys, in one shard or in two.
    private func pair(_ map: any InstrumentedMap, inOneShard: Bool) -> ([UInt8], [UInt8]) {
        let first = Array("pair-a".utf8)
        let shard = map.shard(of: first.span)
        let second = (0...).lazy.map { Array("pair-b-\($0)".utf8) }
            .first { (map.shard(of: $0.span) == shard) == inOneShard }
        return (first, second ?? [])
    }

    @Test(
        "a snapshot shows each shard at one moment, a locked walk the whole map",
        arguments: MapShape.oneEach, [Kind.snapshot, .locked])
    func oneMoment(shape: MapShape, kind: Kind) throws {
        let map = try filled(shape)
        let isWhole = kind == .locked && map.options.shards > 1
        let (first, second) = pair(map, inOneShard: !isWhole)
        func number(_ entries: [MapEntry], _ key: [UInt8]) -> Int? {
            entries.first { $0.key == key }.flatMap { Int(String(decoding: $0.value, as: UTF8.self)) }
        }
        map.store(first, Array("0".utf8))
        map.store(second, Array("0".utf8))
        let (done, steps, threads) = (Flag(), Tally(), ThreadGroup())
        threads.start {
            var round = 1
            while !done.isRaised {
                map.store(first, Array("\(round)".utf8))
                map.store(second, Array("\(round)".utf8))
                round += 1
                steps.add()
            }
        }
        threads.start { churn(map, 1, until: done, Tally()) }
        defer { threads.join() }
        defer { done.raise() }
        var random = SeededGenerator(seed: TestSeed.value)
        for _ in 0..<60 {
            let reached = steps.value
            let seen = try walk(kind, over: map, &random)
            let (a, b) = (try #require(number(seen, first)), try #require(number(seen, second)))
            #expect(a == b || a == b + 1, "\(a) and \(b); \(TestSeed.note)")
            #expect(eventually { steps.value > reached + 3 })
        }
    }

    @Test(
        "a locked walk lets nobody write until it is over, and counts an iteration a shard", arguments: MapShape.oneEach
    )
    func lockedHolds(shape: MapShape) throws {
        let map = try filled(shape)
        let writer = ThreadGroup()
        var isFirst = true
        map.forEachLocked { _, _ in
            guard isFirst else { return }
            isFirst = false
            writer.start { map.store(key(1_000), []) }
            #expect(eventually { map.snapshot().sum(\.lockWaiters) == 1 })
        }
        writer.join()
        let snapshot = map.snapshot()
        #expect(snapshot.sum(\.entries) == UInt64(Self.stableCount + 1))
        #expect(snapshot.sum(\.iterations) == UInt64(map.options.shards))
        // On `checked` a locked walk claims as maintenance does: whoever comes waits, and nobody is a party.
        let averted = snapshot.shards.reduce(0) { $0 + $1.averted.iterateWrites }
        #expect(averted == (shape.strategy == .checked ? 0 : 1))
        #expect((snapshot.conflicts?[.iterateWrite] ?? 0) == 0)
        #expect(snapshot.openIterators == 0)
    }

    @Test("a live walk ends, however fast others insert behind it", arguments: MapShape.oneEach)
    func ends(shape: MapShape) throws {
        let map = try filled(shape)
        let iterator = try map.iterate(.live, prefix: [], maximumBytes: 0)
        var steps = 0
        while !iterator.isAtEnd {
            steps += iterator.next(limit: 10).count
            // Twice as many come as are shown: a walk that came back to a shard for them would never end. Sixteen shards,
            // each entered once, hold at most 8 times what they held.
            for number in 0..<20 { map.store(Array("behind-\(steps)-\(number)".utf8), []) }
            try #require(steps < 20 * Self.stableCount, "more steps than entries as the shards were entered")
        }
        #expect(steps >= Self.stableCount)
    }
}
