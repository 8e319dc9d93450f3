import InstrumentedMaps
import Instruments
import TestSupport
import Testing

@Suite("Mode")
struct ModeTests {
    private let host = MapHost { 0 }

    private func makeMap(_ options: MapOptions) throws -> any InstrumentedMap {
        let name = try MapName("orders")
        _ = try host.create(name, options)
        return try host.mapForWriting(name)
    }

    @Test("a map starts in the mode of its options, and shows the one that is in force")
    func modesAreShown() throws {
        let map = try makeMap(MapOptions(shards: 4, mode: .global))
        #expect(map.mode == .global)
        #expect(map.snapshot().mode == .global)
        map.setMode(.normal)
        #expect(map.mode == .normal)
        #expect(map.snapshot().mode == .normal)
        #expect(map.options.mode == .global)
    }

    @Test("a host may start every map in one mode, and each can be switched all the same")
    func hostsDecide() throws {
        let host = MapHost(mode: .global) { 0 }
        let name = try MapName("orders")
        _ = try host.create(name, MapOptions(shards: 4))
        let map = try host.mapForWriting(name)
        #expect(map.mode == .global)
        map.setMode(.normal)
        #expect(map.mode == .normal)
    }

    @Test("a switch makes no other map of it: the same options find it standing, whatever mode they name")
    func modeIsNoIdentity() throws {
        let map = try makeMap(MapOptions(shards: 4))
        map.setMode(.global)
        #expect(try host.create(map.name, MapOptions(shards: 4)) == .stoodAlready)
        #expect(try host.create(map.name, MapOptions(shards: 4, mode: .normal)) == .stoodAlready)
        #expect(map.mode == .global)
    }

    @Test("in mode global every operation takes the map's one lock, which counts in the first shard's row")
    func oneLockForAll() throws {
        let map = try makeMap(MapOptions(shards: 8, mode: .global))
        for number in 0..<100 { map.store([UInt8(number)], [1]) }
        for number in 0..<100 { _ = map.load([UInt8(number)]) }
        for number in 0..<50 { map.delete([UInt8(number)]) }
        #expect(map.snapshot().sum(\.lockAcquired) == 2 * 250)
        #expect(map.snapshot().shards[0].lockAcquired >= 250)
        map.setMode(.normal)
        for number in 0..<100 { _ = map.load([UInt8(number)]) }
        #expect(map.snapshot().sum(\.lockAcquired) == 2 * 250 + 100)
    }

    @Test("in mode global an operation on one shard keeps out an operation on any other")
    func operationsExcludeEachOther() throws {
        let map = try makeMap(MapOptions(shards: 64, mode: .global))
        let group = ThreadGroup()
        let other = Flag()
        map.update([0]) { value in
            for number in 1..<32 { group.start { map.store([UInt8(number)], [1]) } }
            // All 31 wait for the one lock, though their keys lie in other shards.
            if eventually({ map.snapshot().sum(\.lockWaiters) == 31 }) { other.raise() }
            value = [1]
        }
        group.join()
        #expect(other.isRaised)
        #expect(map.count == 32)
    }

    @Test(
        "switching under load loses no write: the ledger of eight threads is the map's contents",
        arguments: MapStrategy.allCases)
    func switchesLoseNothing(strategy: MapStrategy) throws {
        let map = try makeMap(MapOptions(strategy: strategy, shards: strategy == .sharded ? 4 : nil))
        let group = ThreadGroup()
        let ended = Tally()
        let rounds = 4_000
        for thread in 0..<8 {
            group.start {
                for round in 0..<rounds {
                    // One counter for all threads, so that every lost write shows, and a key of the thread's own.
                    map.update([0xff]) { $0 = ModeTests.increment($0) }
                    let own = [UInt8(thread), UInt8(truncatingIfNeeded: round)]
                    map.store(own, [UInt8(truncatingIfNeeded: round)])
                    if round % 3 == 0 { map.delete(own) }
                }
                ended.add()
            }
        }
        var switches = 0
        while ended.value < 8 {
            map.setMode(switches % 2 == 0 ? .global : .normal)
            switches += 1
            _ = map.countExact()
        }
        group.join()
        #expect(switches > 2)
        let counter = map.load([0xff]) ?? []
        #expect(counter.reduce(0) { $0 << 8 | Int($1) } == 8 * rounds)
        let snapshot = map.snapshot()
        #expect(snapshot.sum(\.inserts) + snapshot.sum(\.updates) == UInt64(2 * 8 * rounds))
        #expect(snapshot.sum(\.entries) == snapshot.sum(\.inserts) - snapshot.sum(\.deletes))
        let listed = try map.iterate(.snapshot, prefix: [], maximumBytes: 1 << 30).next(limit: .max, maximumBytes: .max)
        #expect(UInt64(listed.count) == snapshot.sum(\.entries))
        #expect(snapshot.lockWaits.sumNanoseconds == snapshot.sum(\.lockWaitNanoseconds))
        #expect(snapshot.sum(\.lockWaiters) == 0)
    }

    private static func increment(_ bytes: [UInt8]?) -> [UInt8] {
        let number = (bytes ?? []).reduce(0) { $0 << 8 | Int($1) } + 1
        return [UInt8(number >> 16), UInt8(number >> 8 & 0xff), UInt8(number & 0xff)]
    }

    @Test("mode is an option by its name, and any other text is refused with the text")
    func optionsNameTheMode() throws {
        #expect(try MapOptions(fields: ["mode": .text("global")]).mode == .global)
        #expect(try MapOptions(fields: [:]).mode == .normal)
        #expect(throws: MapOptionsError.unknownMode("lock")) { try MapOptions(fields: ["mode": .text("lock")]) }
        #expect("\(MapOptionsError.unknownMode("lock"))" == "mode \"lock\" is unknown; known are normal, global")
        #expect(MapOptionsError.unknownMode("lock").field == "mode")
        #expect(throws: MapOptionsError.wrongType(.mode, wanted: "a text", .integer(1))) {
            try MapOptions(fields: ["mode": .integer(1)])
        }
    }
}
