import InstrumentedMaps
import Testing

@Suite("Snapshot iteration")
struct SnapshotIteratorTests {
    private func filled(_ shape: MapShape, _ count: Int = 500) throws -> any InstrumentedMap {
        let map = try shape.make()
        for number in 0..<count { map.store(key(number), key(number)) }
        return map
    }

    @Test("a snapshot sees no later insert, update or delete", arguments: MapShape.all)
    func seesNoLaterChange(shape: MapShape) throws {
        let map = try filled(shape)
        let iterator = try map.iterate(.snapshot, prefix: [], maximumBytes: 1 << 20)
        var entries = iterator.next(limit: 100)
        for number in 0..<250 { map.store(key(number), []) }
        for number in 250..<500 { map.delete(key(number)) }
        for number in 500..<5_000 { map.store(key(number), []) }
        while !iterator.isAtEnd { entries += iterator.next(limit: 100) }
        #expect(entries.count == 500)
        #expect(Set(entries.map(\.key)) == Set((0..<500).map(key)))
        let changed = entries.filter { $0.key != $0.value }
        #expect(changed.isEmpty)
    }

    @Test("pages are as long as asked, but for the last", arguments: MapShape.all)
    func isPaged(shape: MapShape) throws {
        let iterator = try filled(shape).iterate(.snapshot, prefix: [], maximumBytes: 1 << 20)
        #expect(iterator.next(limit: 0).isEmpty)
        #expect(iterator.next(limit: -1).isEmpty)
        #expect(!iterator.isAtEnd)
        #expect(iterator.next(limit: 200).count == 200)
        #expect(iterator.next(limit: 200).count == 200)
        #expect(!iterator.isAtEnd)
        #expect(iterator.next(limit: 200).count == 100)
        #expect(iterator.isAtEnd)
        #expect(iterator.next(limit: 200).isEmpty)
    }

    @Test("a page without a limit is the whole rest, for both kinds", arguments: IterationKind.allCases)
    func unlimitedPage(kind: IterationKind) throws {
        let map = try filled(MapShape(strategy: .sharded, shards: 3))
        let iterator = try map.iterate(kind, prefix: [], maximumBytes: 1 << 20)
        #expect(iterator.next(limit: 1).count == 1)
        #expect(iterator.next(limit: .max).count == 499)
        #expect(iterator.isAtEnd)
    }

    @Test("a page ends once it is full of bytes, and has one entry at least", arguments: IterationKind.allCases)
    func pagesAreBoundedByBytes(kind: IterationKind) throws {
        let map = try MapShape(strategy: .sharded, shards: 3).make()
        for number in 0..<20 { map.store([UInt8(number)], [UInt8](repeating: 1, count: 99)) }
        let iterator = try map.iterate(kind, prefix: [], maximumBytes: 1 << 20)
        #expect(iterator.next(limit: 50, maximumBytes: 300).count == 3)
        #expect(iterator.next(limit: 50, maximumBytes: 301).count == 4)
        #expect(iterator.next(limit: 2, maximumBytes: 301).count == 2)
        #expect(iterator.next(limit: 50, maximumBytes: 1).count == 1)
        #expect(iterator.next(limit: 50, maximumBytes: 0).count == 1)
        #expect(iterator.next(limit: 50, maximumBytes: .max).count == 9)
        #expect(iterator.isAtEnd)
    }

    @Test("an iterator knows what it holds beside the map")
    func heldBytesAreKnown() throws {
        let map = try MapShape(strategy: .sharded, shards: 1).make()
        for number in 0..<20 { map.store([UInt8(number)], [UInt8](repeating: 1, count: 99)) }
        #expect(try map.iterate(.snapshot, prefix: [], maximumBytes: 1 << 20).heldBytes == 2_000)
        #expect(try map.iterate(.live, prefix: [], maximumBytes: 0).heldBytes == 20)
    }

    @Test("an empty map is at its end from the start", arguments: MapShape.all, IterationKind.allCases)
    func emptyMapIsAtEnd(shape: MapShape, kind: IterationKind) throws {
        let map = try shape.make()
        let iterator = try map.iterate(kind, prefix: [], maximumBytes: 0)
        #expect(iterator.isAtEnd)
        #expect(iterator.next(limit: 10).isEmpty)
        #expect(map.snapshot().sum(\.iterations) == UInt64(map.options.shards))
    }

    @Test("a prefix selects by bytes", arguments: MapShape.all, IterationKind.allCases)
    func prefixSelects(shape: MapShape, kind: IterationKind) throws {
        let map = try shape.make()
        let keys: [[UInt8]] = [[0xff], [0xff, 0], [0xff, 0, 1], [0xfe, 0], [0]]
        for key in keys { map.store(key, key) }
        #expect(try Set(map.entries(kind, prefix: [0xff, 0]).map(\.key)) == [[0xff, 0], [0xff, 0, 1]])
        #expect(try Set(map.entries(kind, prefix: [0xff]).map(\.key)).count == 3)
        #expect(try map.entries(kind, prefix: [0xff, 0, 1, 2]).isEmpty)
        #expect(try map.entries(kind).count == 5)
    }

    @Test(
        "an iteration counts once a shard, and neither loads nor writes", arguments: MapShape.all,
        IterationKind.allCases)
    func iterationsAreCounted(shape: MapShape, kind: IterationKind) throws {
        let map = try filled(shape)
        _ = try map.entries(kind)
        let snapshot = map.snapshot()
        var expected = Ledger()
        expected.inserts = 500
        expected.iterations = UInt64(map.options.shards)
        #expect(Ledger(of: snapshot) == expected)
        #expect(snapshot.shards.allSatisfy { $0.iterations == 1 })
    }

    @Test("a snapshot over its limit is refused and says so; a narrower one is not", arguments: MapShape.all)
    func overLimit(shape: MapShape) throws {
        let map = try filled(shape)
        #expect {
            _ = try map.iterate(.snapshot, prefix: [], maximumBytes: 4_000)
        } throws: { error in
            "\(error)"
                == "a snapshot of map \"m\" would copy more than 4000 bytes; narrow it by a prefix or use mode=live"
        }
        #expect(throws: IterationError.snapshotTooLarge(map: map.name, limit: 600)) {
            try map.iterate(.snapshot, prefix: Array("key-1".utf8), maximumBytes: 600)
        }
        let narrow = try map.iterate(.snapshot, prefix: Array("key-12".utf8), maximumBytes: 4_000)
        #expect(narrow.next(limit: 100).count == 11)
        let live = try map.iterate(.live, prefix: [], maximumBytes: 0)
        #expect(live.next(limit: 1_000).count == 500)
    }
}
