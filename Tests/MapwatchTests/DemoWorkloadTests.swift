import InstrumentedMaps
import Scenarios
import Synchronization
import Testing

/// Counts what it is asked, and refuses after a while, which ends the workload.
private final class CountingTarget: MapTarget {
    struct Enough: Error {}
    private let map: any InstrumentedMap
    private let operations = Atomic<Int>(0)

    init(_ map: any InstrumentedMap) { self.map = map }

    private func count() throws {
        if operations.wrappingAdd(1, ordering: .relaxed).newValue > 2000 { throw Enough() }
    }

    func load(_ key: [UInt8]) async throws -> [UInt8]? {
        try count()
        return map.load(key)
    }

    func store(_ key: [UInt8], _ value: [UInt8]) async throws {
        try count()
        map.store(key, value)
    }

    func delete(_ key: [UInt8]) async throws -> Bool {
        try count()
        return map.delete(key)
    }
}

@Suite("Demo workload")
struct DemoWorkloadTests {
    @Test("moves each of its maps, and ends when a target fails")
    func moves() async throws {
        let host = MapHost { 0 }
        var targets: [CountingTarget] = []
        for map in try DemoWorkload.maps() {
            _ = try host.create(map.name, map.options)
            targets.append(CountingTarget(try host.mapForWriting(map.name)))
        }
        await DemoWorkload(
            orders: targets[0], sessions: targets[1], rules: targets[2], products: targets[3], seed: 7
        ).run()
        for map in host.snapshot().maps {
            #expect(map.sum(\.writes) > 0)
            #expect(map.sum(\.loads) > 0)
        }
    }

    @Test("its keys follow from its seed")
    func deterministic() {
        var first = SplitMix(seed: 42)
        var second = SplitMix(seed: 42)
        #expect((0..<100).map { _ in first.next() } == (0..<100).map { _ in second.next() })
        // The generator's published first value for seed 0.
        var zero = SplitMix(seed: 0)
        #expect(zero.next() == 0xe220_a839_7b1d_cdaf)
    }
}
