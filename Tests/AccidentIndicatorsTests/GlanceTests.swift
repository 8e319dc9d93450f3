import AccidentIndicators
import Glibc
import InstrumentedMaps
import TestSupport
import Testing

@Suite("Glances")
struct GlanceTests {
    private let host = MapHost { 0 }
    private static let second: UInt64 = 1_000_000_000

    @Test("what is known from glances that leave out what has not changed is what whole snapshots say")
    func sameAsSnapshots() throws {
        var random = SeededGenerator(seed: TestSeed.value)
        let options = try [
            MapOptions(shards: 16), MapOptions(shards: 1), MapOptions(strategy: .rwlock),
            MapOptions(strategy: .checked, shards: 4, policy: .count), MapOptions(shards: 8, reads: .optimistic),
            MapOptions(shards: 8, ttlSeconds: 1),
        ]
        for (index, options) in options.enumerated() { _ = try host.create(MapName("map-\(index)"), options) }
        let whole = IndicatorSampler()
        let glancing = IndicatorSampler()
        for second in 1...200 {
            for index in options.indices where Int.random(in: 0..<4, using: &random) == 0 {
                operate(try #require(host.map(MapName("map-\(index)"))), &random)
            }
            if second % 50 == 0 {
                let name = try MapName("map-0")
                _ = host.drop(name)
                _ = try host.create(name, options[0])
            }
            let now = UInt64(second) * GlanceTests.second
            let glances = host.glances(now: now, since: glancing.sample.maps)
            let snapshots = host.snapshot(now: now).maps.map(MapGlance.init)
            #expect(glances.map(\.shards) == snapshots.map(\.shards), "\(TestSeed.note)")
            #expect(glances.map(\.sums) == snapshots.map(\.sums), "\(TestSeed.note)")
            whole.sample(snapshots, atNanoseconds: now)
            glancing.sample(glances, atNanoseconds: now)
            #expect(whole.readings == glancing.readings, "\(TestSeed.note)")
            for map in glances {
                let (wanted, found) = (whole.window(of: map.incarnation), glancing.window(of: map.incarnation))
                #expect(wanted?.second(0) == found?.second(0) && wanted?.count == found?.count)
                for shard in map.shards.indices {
                    #expect(wanted?.shard(shard, age: 0) == found?.shard(shard, age: 0))
                }
            }
            host.maintain(budget: 1_000)
        }
    }

    private func operate(_ map: any InstrumentedMap, _ random: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1..<20, using: &random) {
            let key = Array("key \(Int.random(in: 0..<500, using: &random))".utf8)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: _ = map.load(key)
            case 1: _ = map.delete(key)
            default: _ = map.store(key, key)
            }
        }
    }

    @Test("an idle map's rows are taken over until somebody comes, in whichever shard")
    func unchangedSince() throws {
        let name = try MapName("orders")
        _ = try host.create(name, MapOptions(shards: 64))
        let map = try host.mapForWriting(name)
        for number in 0..<1_000 { map.store(Array("\(number)".utf8), [1]) }
        while host.maintain(budget: 1_000) > 0 {}
        var before = map.glance(now: 1)
        #expect(before.unchangedSince == 1)
        for now in UInt64(2)...5 {
            before = map.glance(now: now, since: before)
            #expect(before.unchangedSince == 1)
            #expect(host.maintain(budget: 1_000) == 0)
        }
        for number in 0..<100 {
            let now = UInt64(10 + number)
            _ = map.load(Array("\(number)".utf8))
            let glance = map.glance(now: now, since: before)
            #expect(glance.unchangedSince == now)
            #expect(glance.sums.loads == before.sums.loads + 1)
            before = glance
        }
    }

    @Test("a waiter is seen while it waits, and its wait when it has ended")
    func waits() throws {
        let name = try MapName("orders")
        _ = try host.create(name, MapOptions(shards: 2))
        let map = try host.mapForWriting(name)
        let key = try #require((0..<100).map { Array("\($0)".utf8) }.first { map.shard(of: $0.span) == 1 })
        let start = map.glance(now: 1)
        let group = ThreadGroup()
        var during = start
        map.hold(shard: 1) {
            group.start { map.store(key, [1]) }
            while map.snapshot().sum(\.lockWaiters) == 0 { sched_yield() }
            during = map.glance(now: 2, since: start)
        }
        group.join()
        #expect(during.shards[1].lockWaiters == 1)
        let after = map.glance(now: 3, since: during)
        #expect(after.shards[1].lockWaiters == 0 && after.shards[1].lockContended == 1)
        #expect(after.shards == map.snapshot(now: 3).shards.map(ShardGlance.init))
    }
}
