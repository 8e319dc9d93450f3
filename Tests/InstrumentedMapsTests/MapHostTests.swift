import InstrumentedMaps
import TestSupport
import Testing

@Suite("MapHost")
struct MapHostTests {
    private let orders: MapName
    private let host = MapHost { 1_700_000_000.5 }

    init() throws { orders = try MapName("orders") }

    @Test("a map is created once, and found standing after that")
    func createsOnce() throws {
        #expect(host.map(orders) == nil)
        #expect(try host.create(orders, MapOptions(shards: 3)) == .created)
        #expect(try host.create(orders, MapOptions(shards: 3)) == .stoodAlready)
        let map = try #require(host.map(orders))
        #expect(map.name == orders)
        #expect(try map.options == MapOptions(shards: 3))
        #expect(map.snapshot().createdAt == 1_700_000_000.5)
        #expect(host.maps.count == 1)
    }

    @Test("a map that stands otherwise is refused with both options, and stays")
    func refusesConflict() throws {
        _ = try host.create(orders, MapOptions(shards: 3))
        try host.mapForWriting(orders).store([1], [2])
        #expect {
            _ = try host.create(orders, MapOptions(strategy: .rwlock))
        } throws: {
            "\($0)"
                == "map \"orders\" stands with strategy \"sharded\", 3 shards, "
                + "not strategy \"rwlock\", 1 shard; drop it first"
        }
        #expect(try host.mapForWriting(orders).load([1]) == [2])
    }

    @Test("a write to a map that nobody declared is refused in the runtime's words, and counted")
    func countsUndeclaredWrites() throws {
        let undeclared = MapHostError.undeclared(orders)
        #expect(throws: undeclared) { try host.mapForWriting(orders) }
        #expect(throws: undeclared) { try host.mapForWriting(orders) }
        #expect(
            undeclared.description
                == "assignment to entry in nil map: map \"orders\" is not declared; "
                + "create it with PUT /api/v1/maps/orders")
        #expect(host.snapshot().undeclaredWrites == 2)
        // Reading is no write.
        #expect(host.map(orders) == nil)
        #expect(host.snapshot().undeclaredWrites == 2)
        _ = try host.create(orders, MapOptions())
        _ = try host.mapForWriting(orders)
        #expect(host.snapshot().undeclaredWrites == 2)
    }

    @Test("dropping takes the map away and counts it with its entries")
    func dropCounts() throws {
        #expect(!host.drop(orders))
        #expect(host.snapshot().mapsDropped == 0)
        _ = try host.create(orders, MapOptions())
        let map = try host.mapForWriting(orders)
        for number in 0..<70 { map.store(key(number), []) }
        for number in 0..<20 { map.delete(key(number)) }
        #expect(host.drop(orders))
        #expect(!host.drop(orders))
        let snapshot = host.snapshot()
        #expect(snapshot.maps.isEmpty)
        #expect(snapshot.mapsDropped == 1)
        #expect(snapshot.entriesDropped == 50)
        // Who holds it still can end its work.
        #expect(map.load(key(30)) == [])
    }

    @Test("a map created again starts at 0, in a new incarnation")
    func recreationStartsAtZero() throws {
        _ = try host.create(orders, MapOptions())
        try host.mapForWriting(orders).store([1], [1])
        let first = try #require(host.snapshot().maps.first)
        #expect(host.drop(orders))
        #expect(try host.create(orders, MapOptions()) == .created)
        let second = try #require(host.snapshot().maps.first)
        #expect(second.incarnation != first.incarnation)
        #expect(Ledger(of: first) != Ledger())
        #expect(Ledger(of: second) == Ledger())
        #expect(second.shards.allSatisfy { $0 == ShardSample() })
    }

    @Test("maps and snapshots are sorted by name")
    func sorted() throws {
        let names = ["zoo", "a", "m-1", "m_1", "0"]
        for name in names { _ = try host.create(MapName(name), MapOptions(shards: 1)) }
        #expect(host.maps.map(\.name.text) == names.sorted())
        #expect(host.snapshot().maps.map(\.name.text) == names.sorted())
    }

    @Test("the 1,025th map is refused, until one is dropped; one that stands is still found")
    func limitsMaps() throws {
        let options = try MapOptions(shards: 1)
        for number in 0..<1_024 { _ = try host.create(MapName("m\(number)"), options) }
        #expect {
            _ = try host.create(orders, options)
        } throws: {
            "\($0)" == "there are 1024 maps already, and no more are hosted; drop one first"
        }
        #expect(host.maps.count == 1_024)
        #expect(try host.create(MapName("m0"), options) == .stoodAlready)
        #expect(try host.drop(MapName("m0")))
        #expect(try host.create(orders, options) == .created)
    }

    @Test("of eight threads that create one map exactly one does, and all use the same")
    func creationIsAtomic() throws {
        let host = host
        let orders = orders
        let options = try MapOptions(shards: 3)
        let created = Tally()
        let failed = Tally()
        ThreadGroup.run(8) { thread in
            do {
                if try host.create(orders, options) == .created { created.add() }
                try host.mapForWriting(orders).store([UInt8(thread)], [])
            } catch {
                failed.add()
            }
        }
        #expect(created.value == 1)
        #expect(failed.value == 0)
        #expect(host.snapshot().maps.first?.sum(\.entries) == 8)
    }

    @Test("drops that race count every map and every entry once")
    func dropsAreCountedOnce() throws {
        let host = host
        let names = try (0..<100).map { try MapName("m\($0)") }
        for name in names {
            _ = try host.create(name, MapOptions(shards: 1))
            try host.mapForWriting(name).store([1], [])
        }
        let dropped = Tally()
        ThreadGroup.run(8) { _ in
            for name in names where host.drop(name) { dropped.add() }
        }
        #expect(dropped.value == 100)
        let snapshot = host.snapshot()
        #expect(snapshot.mapsDropped == 100)
        #expect(snapshot.entriesDropped == 100)
    }
}
