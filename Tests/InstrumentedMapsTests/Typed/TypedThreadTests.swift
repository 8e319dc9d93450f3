import InstrumentedMaps
import Instruments
import TestSupport
import Testing

private var seedNote: Comment { "\(TestSeed.note)" }

/// What each of so many threads returned, in no order.
private func onThreads<Output: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) -> Output) -> [Output] {
    let outputs = LockedState<[Output]>([])
    ThreadGroup.run(count) { thread in
        let output = body(thread)
        outputs.withLock { $0.append(output) }
    }
    return outputs.withLock { $0 }
}

@Suite("Typed maps and threads")
struct TypedThreadTests {
    @Test(
        "no update of many threads is lost, and the counters add up",
        arguments: MapShape.oneEach.filter(\.isTyped))
    func updates(shape: MapShape) throws {
        let map = try ShardedMap<String, Int>(
            MapName("m"), MapOptions(strategy: shape.strategy, shards: shape.shards))
        let (threads, rounds) = (8, 2_000)
        let ledgers = onThreads(threads) { thread in
            var generator = SeededGenerator(seed: TestSeed.value &+ UInt64(thread))
            var ledger = Ledger()
            for round in 0..<rounds {
                if case .stored(let outcome) = map.update("shared", { $0 = ($0 ?? 0) + 1 }) { ledger.note(outcome) }
                let key = "k\(Int.random(in: 0..<300, using: &generator))"
                switch round % 3 {
                case 0: ledger.note(map.store(key, round))
                case 1: ledger.noteDelete(hit: map.delete(key) != nil)
                default: ledger.noteLoad(hit: map[key] != nil)
                }
            }
            return ledger
        }
        #expect(map["shared"] == threads * rounds)
        var ledger = ledgers.reduce(Ledger(), +)
        ledger.loads += 1
        let snapshot = map.snapshot()
        #expect(Ledger(of: snapshot) == ledger, seedNote)
        expectInvariants(snapshot, entries: Int(ledger.inserts - ledger.deletes), seedNote)
    }

    @Test(
        "growth and deletes beside a live walk make it neither omit nor repeat a key",
        arguments: MapShape.oneEach.filter(\.isTyped))
    func liveWalk(shape: MapShape) throws {
        let map = try ShardedMap<Int, Int>(
            MapName("m"), MapOptions(strategy: shape.strategy, shards: shape.shards))
        for number in 0..<1_000 { map.store(number, number) }
        let walks = onThreads(4) { thread in
            guard thread == 0 else {
                for round in 0..<20_000 {
                    let number = 1_000 * thread + 1_000 + round % 900
                    if round / 900 % 2 == 0 { map.store(number, number) } else { map.delete(number) }
                }
                return [Int]()
            }
            var seen: [Int] = []
            for _ in 0..<20 {
                let keys = map.entries(.live).map(\.key).filter { $0 < 1_000 }
                if keys.count != 1_000 || Set(keys).count != 1_000 { seen.append(keys.count) }
            }
            return seen
        }
        #expect(walks.flatMap { $0 }.isEmpty)
        #expect(map.snapshot().openIterators == 0)
    }

    @Test("a typed map stands beside the hosted ones, and its name is nobody else's")
    func registers() throws {
        let host = MapHost { 0 }
        let orders = ShardedMap<String, Int>("orders", shards: 2)
        orders.store("a", 1)
        let name = try MapName("orders")
        try host.register(orders)
        #expect(host.snapshot().maps.map { $0.sum(\.inserts) } == [1])
        #expect(host.snapshot().allocatedBytes == orders.snapshot().sum(\.allocatedBytes))
        #expect(throws: MapHostError.nameTaken(name)) { try host.register(ShardedMap<Int, Int>("orders")) }
        #expect(throws: MapHostError.nameTaken(name)) { try host.create(name, MapOptions(shards: 2)) }
        #expect(throws: MapHostError.holdsSwiftValues(name)) { try host.mapForWriting(name) }
        #expect(throws: MapHostError.holdsSwiftValues(name)) { try host.mapForReading(name) }
        #expect(host.map(name) == nil)
        #expect(!host.drop(name))
        #expect(!host.unregister(ShardedMap<Int, Int>("orders")))
        #expect(host.unregister(orders))
        #expect(host.snapshot().maps.isEmpty)
        #expect(host.snapshot().entriesDropped == 0)
        #expect(orders["a"] == 1)
    }

    @Test("more maps than a host takes are refused")
    func tooMany() throws {
        let host = MapHost { 0 }
        for number in 0..<MapHost.maximumMaps {
            _ = try host.create(MapName("m\(number)"), MapOptions(strategy: .rwlock))
        }
        #expect(throws: MapHostError.tooManyMaps(limit: MapHost.maximumMaps)) {
            try host.register(ShardedMap<Int, Int>("one-more", strategy: .rwlock))
        }
    }

    @Test("options that a typed map cannot have are refused, and wrong literals trap")
    func refusedOptions() async throws {
        let name = try MapName("m")
        #expect(throws: ShardedMapError.expiry) { try ShardedMap<Int, Int>(name, MapOptions(ttlSeconds: 5)) }
        #expect(throws: ShardedMapError.optimisticReads) {
            try ShardedMap<Int, Int>(name, MapOptions(reads: .optimistic))
        }
        await #expect(processExitsWith: .failure) { _ = ShardedMap<Int, Int>("not a name") }
    }
}
