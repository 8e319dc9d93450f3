import TestSupport
import Testing

@testable import InstrumentedMaps

/// What a shard that somebody does not leave does to the others.
@Suite("A stalled shard")
struct StalledShardTests {
    private static func key(_ number: Int) -> [UInt8] { Array("key-\(number)".utf8) }

    @Test("maintenance passes over a shard that somebody holds, and tidies the others", arguments: MapShape.oneEach)
    func maintenancePassesOver(shape: MapShape) throws {
        let map = try shape.make()
        for number in 0..<4_000 { map.store(Self.key(number), [UInt8](repeating: 1, count: 100)) }
        for number in 0..<4_000 where number % 10 != 0 { map.delete(Self.key(number)) }
        let before = map.snapshot().sum(\.allocatedBytes)
        var whileHeld: UInt64 = 0
        map.hold(shard: 0) {
            for _ in 0..<100 { _ = map.maintain(budget: 10_000) }
            whileHeld = map.snapshot().sum(\.allocatedBytes)
        }
        if map.options.shards > 1 {
            #expect(whileHeld < before, "the other shards were tidied")
        } else {
            #expect(whileHeld == before, "the only shard was held")
        }
        while map.maintain(budget: 10_000) > 0 {}
        #expect(map.snapshot().sum(\.allocatedBytes) < whileHeld)
        for number in stride(from: 0, to: 4_000, by: 10) { #expect(map.load(Self.key(number)) != nil) }
    }

    @Test(
        "who comes while a shard is held waits and shows as a waiter; other shards go on", arguments: MapShape.oneEach)
    func waiters(shape: MapShape) throws {
        let map = try shape.make()
        let keys = (0..<400).map(Self.key)
        for key in keys { map.store(key, [1]) }
        let held = map.shard(of: keys[0])
        let group = ThreadGroup()
        map.hold(shard: held) {
            group.start { map.store(keys[0], [2]) }
            #expect(eventually { map.snapshot().shards[held].lockWaiters == 1 })
            for key in keys where map.shard(of: key) != held { #expect(map.load(key) == [1]) }
            #expect(map.snapshot().shards[held].updates == 0)
        }
        group.join()
        #expect(map.load(keys[0]) == [2])
        #expect(map.snapshot().shards[held].lockWaiters == 0)
    }

    @Test("the shard that is told is the one that counts", arguments: MapShape.oneEach)
    func shardOfKey(shape: MapShape) throws {
        let map = try shape.make()
        for number in 0..<200 {
            let key = Self.key(number)
            let shard = map.shard(of: key)
            let before = map.snapshot().shards[shard].inserts
            map.store(key, [1])
            #expect(map.snapshot().shards[shard].inserts == before + 1)
        }
    }
}
