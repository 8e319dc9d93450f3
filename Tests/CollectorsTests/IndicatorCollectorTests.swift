import AccidentIndicators
import Collectors
import Exposition
import InstrumentedMaps
import TestSupport
import Testing

@Suite("IndicatorCollector")
struct IndicatorCollectorTests {
    private let host = MapHost { 0 }
    private let orders: MapName

    init() throws { orders = try MapName("orders") }

    private func page(_ sampler: IndicatorSampler) throws -> CheckedExposition {
        let families = IndicatorCollector(sampler).collect(Scrape(maps: host.snapshot(), sizeDeltas: nil))
        return try CheckedExposition(TextFormat.render(families))
    }

    private static let gauges = [
        "map_delete_ratio", "map_size_mutation_ratio", "map_size_mutation_streak", "map_accident_signature",
        "map_shard_imbalance_ratio", "map_delete_during_iteration_ratio",
    ]

    @Test("every indicator stands at 0 from the map's creation, before the first sample", arguments: gauges)
    func startsAtZero(name: String) throws {
        _ = try host.create(orders, MapOptions())
        let page = try page(IndicatorSampler())
        #expect(page.family(name)?.type == "gauge")
        #expect(page.samples(name).count == 1)
        #expect(page.value(name, ["map_name": "orders"]) == 0)
    }

    @Test("the delete shares of cycles are a histogram with the articles' 0.42 as an edge")
    func cycles() throws {
        _ = try host.create(orders, MapOptions())
        let sampler = IndicatorSampler()
        let map = try host.mapForWriting(orders)
        for number in 0..<58 { map.store([UInt8(number)], []) }
        #expect(try page(sampler).value("map_cycle_delete_ratio_count", ["map_name": "orders"]) == 0)
        sampler.sample(host.snapshot().maps.map(MapGlance.init), atNanoseconds: 0)
        for number in 0..<42 { map.delete([UInt8(number)]) }
        for number in 0..<58 { map.store([UInt8(number)], [1]) }
        sampler.sample(host.snapshot().maps.map(MapGlance.init), atNanoseconds: 10_000_000_000)
        let page = try page(sampler)
        func bucket(_ bound: String) -> Double? {
            page.value("map_cycle_delete_ratio_bucket", ["map_name": "orders", "le": bound])
        }
        #expect(bucket("0.3") == 0)
        #expect(bucket("0.42") == 1)
        #expect(bucket("1.0") == 1)
        #expect(bucket("+Inf") == 1)
        #expect(page.value("map_cycle_delete_ratio_sum", ["map_name": "orders"]) == 0.42)
    }

    @Test("the lines in force are shown for each map")
    func lines() throws {
        _ = try host.create(orders, MapOptions(shards: 1))
        _ = try host.create(MapName("other"), MapOptions())
        let page = try page(IndicatorSampler(lines: [orders: IndicatorLines([("delete_ratio", 0.6)])]))
        func line(_ map: String, _ indicator: String) -> Double? {
            page.value("map_indicator_line", ["map_name": map, "indicator": indicator])
        }
        #expect(page.samples("map_indicator_line").count == 2 * Indicator.allCases.count)
        #expect(line("orders", "delete_ratio") == 0.6)
        #expect(line("other", "delete_ratio") == 0.42)
        #expect(line("orders", "conflict_ratio") == 0.31)
        #expect(line("other", "conflict_ratio") == 0.09)
    }

    @Test("ids that end alike make one of 256 shards hot by identity, and none by the default hash")
    func imbalance() throws {
        let sampler = IndicatorSampler()
        for hash in ShardHash.allCases {
            _ = try host.create(MapName(hash.rawValue), MapOptions(shards: 256, hash: hash))
        }
        sampler.sample(host.snapshot().maps.map(MapGlance.init), atNanoseconds: 0)
        for hash in ShardHash.allCases {
            let map = try host.mapForWriting(MapName(hash.rawValue))
            for number in 0..<40_000 { map.store([UInt8(number >> 8), UInt8(number & 255), 0, 197], []) }
        }
        sampler.sample(host.snapshot().maps.map(MapGlance.init), atNanoseconds: 1_000_000_000)
        let page = try page(sampler)
        func ratio(_ hash: ShardHash) throws -> Double {
            try #require(page.value("map_shard_imbalance_ratio", ["map_name": hash.rawValue]))
        }
        #expect(try ratio(.identity) == 256)
        #expect(try ratio(.keyed) < 1.5)
        #expect(try ratio(.fnv1a) < 1.5)
    }

    @Test("what real maps were asked is shown as the last sample found it")
    func figures() throws {
        let sampler = IndicatorSampler()
        _ = try host.create(orders, MapOptions(shards: 2))
        let map = try host.mapForWriting(orders)
        for number in 0..<100 { map.store([UInt8(number)], []) }
        sampler.sample(host.snapshot().maps.map(MapGlance.init), atNanoseconds: 0)
        for number in 0..<60 { map.store([UInt8(number)], [1]) }
        for number in 0..<40 { map.delete([UInt8(number)]) }
        sampler.sample(host.snapshot().maps.map(MapGlance.init), atNanoseconds: 15_000_000_000)
        let page = try page(sampler)
        #expect(page.value("map_delete_ratio", ["map_name": "orders"]) == 0.4)
        #expect(try #require(page.value("map_size_mutation_ratio", ["map_name": "orders"])) > 0.3)
        #expect(page.value("map_size_mutation_streak", ["map_name": "orders"]) == 0)
        #expect(try #require(page.value("map_shard_imbalance_ratio", ["map_name": "orders"])) >= 1)
    }
}
