import AccidentIndicators
import Collectors
import Exposition
import InstrumentedMaps
import TestSupport
import Testing

@Suite("Series budget")
struct SeriesBudgetTests {
    private static let collectors: [any Collector] = [
        MapCollector(), LatencyCollector(), IteratorCollector(), IndicatorCollector(IndicatorSampler()),
        ArticleNamesCollector(), SizeDeltaCollector(), AvertedConflictCollector(), ConflictCollector(),
    ]

    private static func host(limit: Int) -> MapHost {
        MapHost(seriesBudget: .counting(collectors, limit: limit)) { 0 }
    }

    /// All series of a scraper's second scrape.
    private func page(_ host: MapHost) throws -> CheckedExposition {
        let maps = host.snapshot(now: 1)
        var cursors = ScraperCursors()
        cursors.advance("a", to: SizeReading(maps.maps, atNanoseconds: 1))
        let reading = SizeReading(maps.maps, atNanoseconds: 2)
        let scrape = Scrape(maps: maps, sizeDeltas: cursors.changes(for: "a", to: reading, in: maps.maps))
        return try CheckedExposition(TextFormat.render(Self.collectors.flatMap { try $0.collect(scrape) }))
    }

    private func seriesCount(_ host: MapHost) throws -> Int {
        try page(host).families.reduce(0) { $0 + $1.samples.count }
    }

    /// What one such map shows without a bound.
    private func cost(_ options: MapOptions) throws -> Int {
        let host = Self.host(limit: .max)
        _ = try host.create(MapName("m"), options)
        return try seriesCount(host)
    }

    @Test("maps are shown by shard as long as they fit, then as one row, then refused, to the very series")
    func foldsThenRefuses() throws {
        let wide = try MapOptions(shards: 64)
        let (fine, folded) = (try cost(wide), try cost(MapOptions(shards: 1)))
        let host = Self.host(limit: fine + folded * 2)
        for name in ["a", "b", "c"] { #expect(try host.create(MapName(name), wide) == .created) }
        #expect(host.snapshot(now: 1).maps.map(\.detail) == [.shard, .map, .map])
        #expect(try seriesCount(host) == fine + folded * 2)
        let refusal = MapHostError.tooManySeries(
            try MapName("d"), needed: folded, left: 0, limit: fine + folded * 2)
        #expect(throws: refusal) { try host.create(MapName("d"), wide) }
        #expect(
            refusal.description
                == "map \"d\" needs \(folded) series and 0 are left of the budget of \(fine + folded * 2); "
                + "drop a map or raise --max-series")
        // What a drop gives back is there again; the others keep their detail for life.
        #expect(host.drop(try MapName("a")))
        #expect(try host.create(MapName("d"), wide) == .created)
        #expect(host.snapshot(now: 1).maps.map(\.detail) == [.map, .map, .shard])
    }

    @Test("one series less than it needs, and a map is shown as one row; then none")
    func exactBounds() throws {
        let wide = try MapOptions(shards: 16)
        let (fine, folded) = (try cost(wide), try cost(MapOptions(shards: 1)))
        for (limit, detail) in [(fine, SeriesDetail.shard), (fine - 1, .map), (folded, .map)] {
            let host = Self.host(limit: limit)
            _ = try host.create(MapName("m"), wide)
            #expect(host.snapshot(now: 1).maps.map(\.detail) == [detail], "\(limit)")
        }
        #expect(throws: MapHostError.self) { try Self.host(limit: folded - 1).create(MapName("m"), wide) }
    }

    @Test("a folded map shows in one row what its shards would show together, under shard_id all")
    func foldedRowIsTheSum() throws {
        let options = try MapOptions(shards: 8)
        let folding = Self.host(limit: try cost(options) - 1)
        let fine = Self.host(limit: .max)
        for host in [folding, fine] {
            _ = try host.create(MapName("m"), options)
            let map = try host.mapForWriting(MapName("m"))
            for number in 0..<200 { map.store([UInt8(number)], [1, 2, 3]) }
            for number in 0..<90 { map.store([UInt8(number)], []) }
            for number in 50..<120 { map.delete([UInt8(number)]) }
            for number in 40..<120 { _ = map.load([UInt8(number)]) }
            for number in 50..<60 { map.delete([UInt8(number)]) }
        }
        let (one, many) = (try page(folding), try page(fine))
        #expect(one.families.map(\.name) == many.families.map(\.name))
        for family in many.families {
            let isFine = family.samples.contains { $0.labels["shard_id"] != nil || $0.labels["segment_id"] != nil }
            let rows = one.samples(family.name)
            if isFine {
                let kinds = Set(rows.compactMap { $0.labels["kind"] })
                #expect(rows.count == max(1, kinds.count), "\(family.name)")
                #expect((rows.first?.labels["shard_id"] ?? rows.first?.labels["segment_id"]) == "all", "\(family.name)")
            }
            // Memory and growth differ by the luck of the keyed hash; everything else is the same work.
            if family.type == "counter", !family.name.hasPrefix("map_resize") {
                #expect(rows.reduce(0) { $0 + $1.value } == many.sum(family.name), "\(family.name)")
            }
        }
        #expect(one.value("map_entries", ["map_name": "m", "shard_id": "all"]) == 130)
        #expect(one.samples("map_info").map { $0.labels["detail"] } == ["map"])
    }
}
