import InstrumentedMaps
import Instruments
import TestSupport
import Testing

@Suite("Timings")
struct TimingTests {
    private func makeMap(shards: Int = 8) throws -> any InstrumentedMap {
        let host = MapHost { 0 }
        let name = try MapName("orders")
        _ = try host.create(name, MapOptions(shards: shards))
        return try host.mapForWriting(name)
    }

    @Test("one operation in 64 is timed, by its kind, on each thread")
    func oneInSixtyFour() throws {
        let map = try makeMap()
        let perThread = 64_000
        ThreadGroup.run(4) { thread in
            for number in 0..<perThread {
                let key = [UInt8(thread), UInt8(truncatingIfNeeded: number)]
                switch thread {
                case 0: _ = map.load(key)
                case 1: map.store(key, [])
                case 2: map.delete(key)
                // A pattern whose length divides 64: each kind comes all the same.
                default: if number % 2 == 0 { _ = map.load(key) } else { map.store(key, []) }
                }
            }
        }
        let timings = map.snapshot().timings
        // 1,500 are due of loads and stores, 1,000 of deletes; six deviations of their scatter stay within a tenth.
        #expect((1_350...1_650).contains(timings.loads.count))
        #expect((1_350...1_650).contains(timings.stores.count))
        #expect((900...1_100).contains(timings.deletes.count))
        #expect(timings.loads.sumNanoseconds > 0)
    }

    @Test("a step that looks and changes counts as what it did")
    func modifiesCountAsTheirOutcome() throws {
        let map = try makeMap()
        for _ in 0..<20_000 { map.update([1]) { _ in } }
        #expect(map.snapshot().timings.loads.count > 100)
        #expect(map.snapshot().timings.stores.count == 0)
        for number in 0..<20_000 { map.update([2]) { $0 = [UInt8(truncatingIfNeeded: number)] } }
        #expect(map.snapshot().timings.stores.count > 100)
        #expect(map.snapshot().timings.deletes.count == 0)
    }

    @Test("growth is counted when it has ended, with its time, and a first table is none")
    func growthIsCounted() throws {
        let map = try makeMap(shards: 1)
        map.store([0], [])
        #expect(map.snapshot().sum(\.growths) == 0)
        for number in 0..<10_000 { map.store([UInt8(number >> 8), UInt8(number & 0xff)], []) }
        while map.maintain(budget: 10_000) > 0 {}
        let grown = map.snapshot()
        #expect(grown.sum(\.growths) > 5)
        #expect(grown.sum(\.growthNanoseconds) > 0)
        for number in 0..<10_000 { map.delete([UInt8(number >> 8), UInt8(number & 0xff)]) }
        while map.maintain(budget: 10_000) > 0 {}
        #expect(map.snapshot().sum(\.capacity) < grown.sum(\.capacity))
        #expect(map.snapshot().sum(\.growths) == grown.sum(\.growths))
    }
}
