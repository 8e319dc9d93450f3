import InstrumentedMaps
import TestSupport
import Testing

@testable import AccidentIndicators

@Suite("Scraper cursors")
struct ScraperCursorsTests {
    private let host = MapHost { 0 }
    private let orders: MapName

    init() throws {
        orders = try MapName("orders")
        _ = try host.create(orders, MapOptions(shards: 3))
    }

    /// A scrape as the service does it: read, compare, and once it is sent move the cursor.
    private func scrape(_ scraper: String, _ cursors: inout ScraperCursors, at nanoseconds: UInt64) -> SizeDeltas? {
        let maps = host.snapshot().maps
        let reading = SizeReading(maps, atNanoseconds: nanoseconds)
        let deltas = cursors.changes(for: scraper, to: reading, in: maps)
        cursors.advance(scraper, to: reading)
        return deltas
    }

    private func entries(_ deltas: SizeDeltas?) -> [Int64]? {
        deltas?.maps.map { $0.shards.reduce(0) { $0 + $1.entries } }
    }

    private func bytes(_ deltas: SizeDeltas?) -> [Int64]? { deltas?.maps.map { $0.shards.reduce(0) { $0 + $1.bytes } } }

    @Test("a scraper's first scrape has no deltas, its second has those since then")
    func firstHasNone() throws {
        var cursors = ScraperCursors()
        let map = try host.mapForWriting(orders)
        for number in 0..<10 { map.store([UInt8(number)], []) }
        #expect(scrape("a", &cursors, at: 100) == nil)
        for number in 0..<4 { map.delete([UInt8(number)]) }
        let deltas = try #require(scrape("a", &cursors, at: 350))
        #expect(deltas.intervalNanoseconds == 250)
        #expect(deltas.maps.map(\.name) == [orders])
        #expect(deltas.maps[0].shards.count == 3)
        #expect(entries(deltas) == [-4])
        #expect(entries(scrape("a", &cursors, at: 400)) == [0])
        #expect(scrape("b", &cursors, at: 400) == nil)
    }

    @Test("two scrapers of different periods each see sums that are the change of the levels")
    func scrapersDoNotDisturb() throws {
        var generator = SeededGenerator(seed: TestSeed.value)
        var cursors = ScraperCursors()
        let map = try host.mapForWriting(orders)
        var sums: [String: (entries: Int64, bytes: Int64, nanoseconds: UInt64)] = [:]
        #expect(scrape("fast", &cursors, at: 0) == nil)
        #expect(scrape("slow", &cursors, at: 0) == nil)
        for round in 1...60 {
            for _ in 0..<50 {
                let key = [UInt8.random(in: 0...255, using: &generator)]
                if Int.random(in: 0..<90, using: &generator) < round {
                    map.delete(key)
                } else {
                    map.store(key, [UInt8](repeating: 0, count: Int.random(in: 0...999, using: &generator)))
                }
            }
            for scraper in round % 7 == 0 || round == 60 ? ["fast", "slow"] : ["fast"] {
                let deltas = try #require(scrape(scraper, &cursors, at: UInt64(round) * 1_000))
                sums[scraper, default: (0, 0, 0)].entries += try #require(entries(deltas))[0]
                sums[scraper, default: (0, 0, 0)].bytes += try #require(bytes(deltas))[0]
                sums[scraper, default: (0, 0, 0)].nanoseconds += deltas.intervalNanoseconds
            }
        }
        let snapshot = map.snapshot()
        for scraper in ["fast", "slow"] {
            let sum = try #require(sums[scraper])
            #expect(sum.entries == Int64(snapshot.sum(\.entries)), "\(scraper), \(TestSeed.note)")
            #expect(sum.entries == Int64(snapshot.sum(\.entriesAdded)) - Int64(snapshot.sum(\.entriesRemoved)))
            #expect(sum.bytes == Int64(snapshot.sum(\.liveBytes)), "\(scraper), \(TestSeed.note)")
            #expect(sum.nanoseconds == 60_000)
        }
    }

    @Test("who scrapes is known by name, with the time of the last scrape and since the one before")
    func scrapers() {
        var cursors = ScraperCursors()
        for instant in [10, 25, 45] as [UInt64] { _ = scrape("b", &cursors, at: instant) }
        _ = scrape("a", &cursors, at: 30)
        #expect(
            cursors.scrapers == [
                Scraper(name: "a", lastNanoseconds: 30, intervalNanoseconds: nil, scrapes: 1),
                Scraper(name: "b", lastNanoseconds: 45, intervalNanoseconds: 20, scrapes: 3),
            ])
    }

    @Test("a scrape that was not sent moves nothing: the next one carries its changes too")
    func unsentMovesNothing() throws {
        var cursors = ScraperCursors()
        let map = try host.mapForWriting(orders)
        #expect(scrape("a", &cursors, at: 1) == nil)
        map.store([1], [])
        let maps = host.snapshot().maps
        #expect(entries(cursors.changes(for: "a", to: SizeReading(maps, atNanoseconds: 2), in: maps)) == [1])
        map.store([2], [])
        let deltas = scrape("a", &cursors, at: 3)
        #expect(entries(deltas) == [2])
        #expect(deltas?.intervalNanoseconds == 2)
    }

    @Test("of two scrapes that overlap the later reading stays, whichever ends last")
    func laterReadingStays() throws {
        var cursors = ScraperCursors()
        let map = try host.mapForWriting(orders)
        let earlier = SizeReading(host.snapshot().maps, atNanoseconds: 10)
        map.store([1], [])
        let later = SizeReading(host.snapshot().maps, atNanoseconds: 20)
        cursors.advance("a", to: later)
        cursors.advance("a", to: earlier)
        map.store([2], [])
        let deltas = scrape("a", &cursors, at: 30)
        #expect(deltas?.intervalNanoseconds == 10)
        #expect(entries(deltas) == [1])
        #expect(cursors.count == 1)
    }

    @Test("a reading from before the cursor's has no deltas: time does not run backwards")
    func overtakenReadingHasNone() throws {
        var cursors = ScraperCursors()
        let maps = host.snapshot().maps
        let earlier = SizeReading(maps, atNanoseconds: 10)
        cursors.advance("a", to: SizeReading(maps, atNanoseconds: 20))
        #expect(cursors.changes(for: "a", to: earlier, in: maps) == nil)
        #expect(cursors.changes(for: "a", to: SizeReading(maps, atNanoseconds: 20), in: maps)?.intervalNanoseconds == 0)
    }

    @Test("10,000 names keep 64 cursors and count the drops; whoever keeps scraping keeps its own")
    func cursorsAreBounded() throws {
        var cursors = ScraperCursors()
        #expect(scrape("regular", &cursors, at: 1) == nil)
        let map = try host.mapForWriting(orders)
        for number in 0..<10_000 {
            #expect(scrape("stranger \(number)", &cursors, at: UInt64(number) + 2) == nil)
            if number % 50 == 0 {
                map.store([UInt8(number / 50)], [])
                #expect(entries(scrape("regular", &cursors, at: UInt64(number) + 2)) == [1])
            }
        }
        #expect(ScraperCursors.limit == 64)
        #expect(cursors.count == 64)
        #expect(cursors.dropped == 10_001 - 64)
        #expect(scrape("stranger 0", &cursors, at: 20_000) == nil)
        #expect(entries(scrape("stranger 9999", &cursors, at: 20_000)) == [0])
    }

    @Test("a map that was created again is compared with an empty one, and a new one too")
    func recreatedMapStartsEmpty() throws {
        var cursors = ScraperCursors()
        for number in 0..<10 { try host.mapForWriting(orders).store([UInt8(number)], []) }
        #expect(scrape("a", &cursors, at: 1) == nil)
        #expect(host.drop(orders))
        _ = try host.create(orders, MapOptions(shards: 16))
        let other = try MapName("other")
        _ = try host.create(other, MapOptions())
        for number in 0..<3 { try host.mapForWriting(orders).store([UInt8(number)], []) }
        try host.mapForWriting(other).store([1], [])
        let deltas = try #require(scrape("a", &cursors, at: 2))
        #expect(deltas.maps.map(\.name) == [orders, other])
        #expect(entries(deltas) == [3, 1])
        #expect(deltas.maps[0].shards.count == 16)
        #expect(host.drop(orders))
        #expect(scrape("a", &cursors, at: 3)?.maps.map(\.name) == [other])
    }
}
