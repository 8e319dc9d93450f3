import InstrumentedMaps
import TestSupport
import Testing

@Suite("Expiry")
struct ExpiryTests {
    private let clock = ManualClock()

    private func make(_ shape: MapShape, ttlSeconds: Int? = nil, maximumBytes: Int? = nil) throws -> any InstrumentedMap
    {
        let host = MapHost(nanoseconds: clock.nanoseconds) { 0 }
        let name = try MapName("m")
        let options = try MapOptions(
            strategy: shape.strategy, shards: shape.shards, reads: shape.reads, maximumBytes: maximumBytes,
            ttlSeconds: ttlSeconds)
        _ = try host.create(name, options)
        return try #require(host.map(name))
    }

    @Test("an entry whose time is over is gone for every reader at once", arguments: MapShape.oneEach)
    func goneForAll(shape: MapShape) throws {
        let map = try make(shape)
        map.store(key(1), [1], ttlSeconds: 10)
        map.store(key(2), [2])
        let live = try map.iterate(.live, prefix: [], maximumBytes: 0)
        clock.advance(milliseconds: 9_999)
        #expect(map.load(key(1)) == [1])
        #expect(try map.entries().count == 2)
        clock.advance(milliseconds: 1)
        #expect(map.load(key(1)) == nil)
        #expect(map.load(key(2)) == [2])
        #expect(try map.entries().map(\.key) == [key(2)])
        #expect(try map.entries(.live).map(\.key) == [key(2)])
        #expect(live.next(limit: 10).map(\.key) == [key(2)])
        #expect(!map.delete(key(1)))
        #expect(!map.remove(key(1)) { _ in true })
        var seen: [UInt8]? = [9]
        map.update(key(1)) { seen = $0 }
        #expect(seen == nil)
        #expect(map.deleteMatching(prefix: []) == 1)
        var expected = Ledger()
        (expected.inserts, expected.deletes, expected.deleteMisses) = (2, 1, 2)
        (expected.loads, expected.loadMisses) = (2, 1)
        expected.iterations = 4 * UInt64(map.options.shards)
        #expect(Ledger(of: map.snapshot()) == expected)
        // Its memory goes later, as one more delete.
        while map.maintain(budget: 64) > 0 {}
        expected.deletes = 2
        #expect(Ledger(of: map.snapshot()) == expected)
        expectInvariants(map.snapshot(), entries: 0, "all gone")
    }

    @Test("what is absent by expiry is inserted again, by each way to insert", arguments: MapShape.oneEach)
    func insertsAgain(shape: MapShape) throws {
        let map = try make(shape)
        for number in 0..<4 { map.store(key(number), [1], ttlSeconds: 1) }
        #expect(!map.insertIfAbsent(key(0), [2]))
        clock.advance(seconds: 1)
        #expect(map.insertIfAbsent(key(0), [2]))
        #expect(map.getOrInsert(key(1)) { [2] } == [2])
        #expect(map.store(key(2), [2]) == .inserted)
        #expect(map.update(key(3)) { $0 = ($0 ?? []) + [2] } == .stored(.inserted))
        // Without a time of their own they stay.
        clock.advance(seconds: 1_000)
        while map.maintain(budget: 64) > 0 {}
        for number in 0..<4 { #expect(map.load(key(number)) == [2]) }
        let snapshot = map.snapshot()
        #expect(snapshot.sum(\.inserts) == 8)
        #expect(snapshot.sum(\.deletes) == 4)
        expectInvariants(snapshot, entries: 4, "inserted again")
    }

    @Test("a put without a time takes the map's, a put with one its own", arguments: MapShape.oneEach)
    func defaultTime(shape: MapShape) throws {
        let map = try make(shape, ttlSeconds: 100)
        map.store(key(1), [1])
        map.store(key(2), [1], ttlSeconds: 10)
        map.store(key(3), [1], ttlSeconds: 1_000)
        map.insertIfAbsent(key(4), [1])
        map.modify(key(5).span, countingLoad: false) { _ in .storeExpiring([1], ttlSeconds: 10) }
        clock.advance(seconds: 10)
        #expect((1...5).map { map.load(key($0)) != nil } == [true, false, true, true, false])
        // The time begins anew with each write.
        map.store(key(1), [2])
        map.store(key(3), [2])
        clock.advance(seconds: 90)
        #expect((1...5).map { map.load(key($0)) != nil } == [true, false, true, false, false])
        clock.advance(seconds: 10)
        #expect((1...5).allSatisfy { map.load(key($0)) == nil })
        while map.maintain(budget: 64) > 0 {}
        expectInvariants(map.snapshot(), entries: 0, "all gone")
    }

    @Test("maintenance removes a hundred thousand entries in slices, and gives their memory back")
    func removesInSlices() throws {
        let map = try make(MapShape(strategy: .sharded, shards: 4))
        var generator = SeededGenerator(seed: TestSeed.value)
        for number in 0..<100_000 {
            map.store(
                key(number), [UInt8](repeating: 1, count: 100), ttlSeconds: Int.random(in: 1...5_000, using: &generator)
            )
        }
        let full = map.snapshot()
        var acquired = full.sum(\.lockAcquired)
        clock.advance(seconds: 2_500)
        while case let steps = map.maintain(budget: 1_000), steps > 0 {
            let now = map.snapshot()
            #expect(Int(now.sum(\.lockAcquired) - acquired) * 64 >= steps, "a slice takes at most 64 steps")
            acquired = now.sum(\.lockAcquired)
        }
        let half = map.snapshot().sum(\.entries)
        #expect((45_000...55_000).contains(half), "\(TestSeed.note)")
        #expect(try map.entries().count == Int(half))
        clock.advance(seconds: 2_501)
        while map.maintain(budget: 1_000) > 0 {}
        let empty = map.snapshot()
        expectInvariants(empty, entries: 0, "all gone")
        #expect(empty.sum(\.deletes) == 100_000)
        #expect(empty.sum(\.allocatedBytes) < full.sum(\.allocatedBytes) / 50)
        // Nothing is left to do, and nobody is asked for a lock.
        let locks = empty.sum(\.lockAcquired)
        #expect(map.maintain(budget: 1_000) == 0)
        #expect(map.snapshot().sum(\.lockAcquired) == locks)
    }

    @Test("a key that is put again and again leaves nothing behind")
    func noStaleMemory() throws {
        let map = try make(MapShape(strategy: .sharded, shards: 1))
        for round in 0..<50_000 {
            map.store(key(round % 10), [1], ttlSeconds: 1 + round)
            if round % 3 == 0 { map.delete(key(round % 7)) }
        }
        #expect(map.snapshot().sum(\.allocatedBytes) < 10_000)
    }

    @Test("a deadline costs 12 bytes of the entry, and none where there is none")
    func cost() throws {
        func bytes(_ ttlSeconds: Int?) throws -> UInt64 {
            let map = try make(MapShape(strategy: .sharded, shards: 1), ttlSeconds: ttlSeconds)
            for number in 0..<10_000 { map.store(key(number), [UInt8](repeating: 1, count: number % 16)) }
            return map.snapshot().sum(\.liveBytes)
        }
        let difference = try Double(bytes(60) - bytes(nil)) / 10_000
        #expect((11.5...12.5).contains(difference), "\(difference) bytes")
    }

    @Test("expired entries make room under a bound on memory", .timeLimit(.minutes(2)), arguments: MapShape.oneEach)
    func makesRoom(shape: MapShape) throws {
        let map = try make(shape, ttlSeconds: 60, maximumBytes: 1 << 20)
        let value = [UInt8](repeating: 1, count: 500)
        var stored = 0
        while map.store(key(stored), value) != .refused { stored += 1 }
        // Of the optimistic shape's memory a part may be retired and not yet free.
        #expect(stored > (shape.reads == .optimistic ? 500 : 1_000))
        clock.advance(seconds: 60)
        map.settle(holdingAtMost: 1 << 18)
        for number in 0..<500 { #expect(map.store(key(stored + number), value) == .inserted) }
        #expect(map.snapshot().sum(\.allocatedBytes) <= 1 << 20)
    }

    @Test("a time below one second or over a year is a mistake that traps", arguments: [0, -1, 31_536_001])
    func traps(seconds: Int) async {
        await #expect(processExitsWith: .failure) { [seconds = seconds as Int] in
            let host = MapHost { 0 }
            let name = try MapName("m")
            _ = try host.create(name, MapOptions())
            host.map(name)?.store([1], [1], ttlSeconds: seconds)
        }
    }
}
