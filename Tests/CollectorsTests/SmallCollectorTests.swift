import AccidentIndicators
import Collectors
import Exposition
import InstrumentedMaps
import TestSupport
import Testing

@Suite("Host, build and size delta collectors")
struct SmallCollectorTests {
    private let host = MapHost { 0 }
    private let orders: MapName

    init() throws { orders = try MapName("orders") }

    private func page(_ collector: any Collector, _ deltas: SizeDeltas? = nil) throws -> CheckedExposition {
        let families = try collector.collect(Scrape(maps: host.snapshot(), sizeDeltas: deltas))
        return try CheckedExposition(TextFormat.render(families))
    }

    @Test("what the host counts is there at 0 before there is any map")
    func hostStartsAtZero() throws {
        let page = try page(HostCollector())
        let types = [
            "mapwatch_maps": "gauge", "mapwatch_maps_dropped_total": "counter",
            "mapwatch_maps_allocated_bytes": "gauge", "mapwatch_series_folded": "gauge",
            "mapwatch_entries_dropped_total": "counter", "mapwatch_undeclared_map_writes_total": "counter",
        ]
        #expect(page.families.count == types.count + 2)
        #expect(page.value("mapwatch_maps_max_bytes") == .infinity)
        #expect(page.value("mapwatch_series_budget") == .infinity)
        for (name, type) in types {
            #expect(page.family(name)?.type == type)
            #expect(page.value(name) == 0)
        }
    }

    @Test("the host counts maps, drops and undeclared writes")
    func hostCounts() throws {
        #expect(throws: MapHostError.undeclared(orders)) { try host.mapForWriting(orders) }
        for name in ["a", "b", "c"] { _ = try host.create(MapName(name), MapOptions()) }
        let map = try host.mapForWriting(MapName("a"))
        for number in 0..<9 { map.store([UInt8(number)], []) }
        #expect(try host.drop(MapName("a")))
        let page = try page(HostCollector())
        #expect(page.value("mapwatch_maps") == 2)
        #expect(page.value("mapwatch_maps_dropped_total") == 1)
        #expect(page.value("mapwatch_entries_dropped_total") == 9)
        #expect(page.value("mapwatch_undeclared_map_writes_total") == 1)
    }

    @Test("the build says its version")
    func buildInfo() throws {
        let page = try page(BuildCollector(version: "1.2.3"))
        let sample = try #require(page.samples("mapwatch_build_info").first)
        #expect(sample.value == 1)
        #expect(sample.labels["version"] == "1.2.3")
        #expect(sample.labels["swift_version"]?.isEmpty == false)
    }

    @Test("delta series are absent on a scraper's first scrape, not 0")
    func deltasAreAbsentFirst() throws {
        _ = try host.create(orders, MapOptions())
        let families = SizeDeltaCollector().collect(Scrape(maps: host.snapshot(), sizeDeltas: nil))
        #expect(families.isEmpty)
    }

    @Test("delta series show what each shard has gained or lost, and since when")
    func deltasAreShown() throws {
        _ = try host.create(orders, MapOptions(shards: 11))
        let map = try host.mapForWriting(orders)
        var cursors = ScraperCursors()
        for number in 0..<100 { map.store([UInt8(number)], []) }
        let before = map.snapshot()
        cursors.advance("a", to: SizeReading([before], atNanoseconds: 1_000))
        for number in 0..<60 { map.delete([UInt8(number)]) }
        for number in 200..<230 { map.store([UInt8(number)], []) }
        let after = map.snapshot()
        let reading = SizeReading([after], atNanoseconds: 2_500_001_000)
        let page = try page(SizeDeltaCollector(), cursors.changes(for: "a", to: reading, in: [after]))
        for shard in 0..<11 {
            let labels = ["map_name": "orders", "shard_id": shard < 10 ? "0\(shard)" : "\(shard)"]
            let entries = Double(after.shards[shard].entries) - Double(before.shards[shard].entries)
            let bytes = Double(after.shards[shard].liveBytes) - Double(before.shards[shard].liveBytes)
            #expect(page.value("map_size_delta_entries", labels) == entries)
            #expect(page.value("map_size_delta_bytes", labels) == bytes)
        }
        #expect(page.sum("map_size_delta_entries") == -30)
        #expect(page.value("map_size_delta_interval_seconds", ["map_name": "orders"]) == 2.5)
        #expect(Set(page.families.map(\.type)) == ["gauge"])
    }

    @Test("the articles' own name stands beside ours, with the same values and unpadded ids")
    func articleNames() throws {
        _ = try host.create(orders, MapOptions(shards: 11))
        let page = try page(ArticleNamesCollector())
        let family = try #require(page.family("go_map_segment_lock_wait_seconds_total"))
        #expect(family.type == "counter")
        #expect(family.help == "Alias of map_shard_lock_wait_seconds_total; no Go runtime here")
        #expect(family.samples.map { $0.labels } == (0..<11).map { ["map_name": "orders", "segment_id": "\($0)"] })
        #expect(family.samples.allSatisfy { $0.value == 0 })
    }
}
