import InstrumentedMaps
import TestSupport
import Testing

@Suite("Counts")
struct CountTests {
    private func makeMap(_ options: MapOptions) throws -> any InstrumentedMap {
        let host = MapHost { 0 }
        let name = try MapName("orders")
        _ = try host.create(name, options)
        return try host.mapForWriting(name)
    }

    @Test("both counts of a map at rest are its entries", arguments: [1, 7, 1_024])
    func countsAtRest(shards: Int) throws {
        let map = try makeMap(MapOptions(shards: shards))
        #expect(map.count == 0)
        #expect(map.countExact() == 0)
        for number in 0..<200 { map.store([UInt8(number)], []) }
        for number in 0..<50 { map.delete([UInt8(number)]) }
        #expect(map.count == 150)
        #expect(map.countExact() == 150)
    }

    @Test(
        "an exact count is of one moment: of keys that three threads take away one at a time, three are gone at most",
        arguments: MapStrategy.allCases,
        MapMode.allCases)
    func exactCountIsOneMoment(strategy: MapStrategy, mode: MapMode) throws {
        let map = try makeMap(MapOptions(strategy: strategy, shards: strategy == .sharded ? 16 : nil, mode: mode))
        for number in 0..<100 { map.store([UInt8(number)], []) }
        let done = Flag()
        let group = ThreadGroup()
        for thread in 0..<3 {
            // A sum of counters read one by one could miss any number of them.
            group.start {
                var round = 0
                while !done.isRaised {
                    let key = [UInt8(thread * 30 + round % 30)]
                    map.delete(key)
                    map.store(key, [])
                    round += 1
                }
            }
        }
        #expect(eventually { map.snapshot().sum(\.deletes) > 100 })
        for _ in 0..<200 {
            let count = map.countExact()
            #expect((97...100).contains(count))
        }
        done.raise()
        group.join()
        #expect(map.countExact() == 100)
    }
}
