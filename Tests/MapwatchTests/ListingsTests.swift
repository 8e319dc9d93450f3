import HTTPServer
import InstrumentedMaps
import Synchronization
import Testing

@testable import mapwatch

/// Time that only the test moves.
private final class ManualClock: Sendable {
    private let nanoseconds = Atomic<UInt64>(0)

    func advance(seconds: UInt64) { nanoseconds.wrappingAdd(seconds * 1_000_000_000, ordering: .relaxed) }

    var now: UInt64 { nanoseconds.load(ordering: .relaxed) }
}

@Suite("Listings")
struct ListingsTests {
    private let clock = ManualClock()
    private let listings: Listings
    private let name: MapName
    private let map: any InstrumentedMap

    init() throws {
        let clock = clock
        listings = Listings { clock.now }
        name = try MapName("orders")
        let host = MapHost { 0 }
        _ = try host.create(name, MapOptions(shards: 4))
        map = try host.mapForWriting(name)
        for number in 0..<100 { map.store(Array("key\(number)".utf8), [0]) }
    }

    private func listing(_ kind: IterationKind, seconds: Int? = nil) throws -> Listings.Listing {
        Listings.Listing(
            map: name, kind: kind, prefix: [], iterator: try map.iterate(kind, prefix: [], maximumBytes: 1 << 20),
            lifetime: seconds ?? Listings.lifetime(kind))
    }

    @Test(
        "a listing that nobody pages ends at its time",
        arguments: [(IterationKind.live, 120 as UInt64), (.snapshot, 60)])
    func expiry(kind: IterationKind, seconds: UInt64) throws {
        let token = try #require(listings.keep(listing(kind)))
        clock.advance(seconds: seconds - 1)
        #expect(listings.resume(token) != nil)
        clock.advance(seconds: seconds - 1)
        #expect(listings.resume(token) != nil, "the page before renewed it")
        clock.advance(seconds: seconds)
        #expect(listings.resume(token) == nil)
        #expect(listings.count == 0)
    }

    @Test("a lease of another length ends at its own time, and the map's iterator with it")
    func lease() throws {
        let token = try #require(listings.keep(listing(.live, seconds: 5)))
        _ = try #require(listings.keep(listing(.snapshot)))
        #expect(map.snapshot().openIterators == 1)
        #expect(listings.count(.live) == 1)
        #expect(listings.count(.snapshot) == 1)
        clock.advance(seconds: 4)
        #expect(listings.resume(token) != nil)
        clock.advance(seconds: 5)
        listings.expire()
        #expect(listings.count(.live) == 0)
        #expect(listings.count(.snapshot) == 1)
        #expect(map.snapshot().openIterators == 0)
    }

    @Test("a listing is ended by its own map's token only, and once")
    func end() throws {
        let token = try #require(listings.keep(listing(.live)))
        #expect(!listings.end(token, of: try MapName("other")))
        #expect(listings.end(token, of: name))
        #expect(!listings.end(token, of: name))
    }

    @Test("a dropped map's listings end with it")
    func drop() throws {
        let token = try #require(listings.keep(listing(.live)))
        listings.endAll(of: try MapName("other"))
        #expect(listings.resume(token) != nil)
        listings.endAll(of: name)
        #expect(listings.resume(token) == nil)
    }

    @Test("open listings are bounded in number, and an expired one makes room")
    func bound() throws {
        for _ in 0..<Listings.maximumOpen { #expect(try listings.keep(listing(.live)) != nil) }
        #expect(try listings.keep(listing(.live)) == nil)
        clock.advance(seconds: 120)
        #expect(try listings.keep(listing(.live)) != nil)
    }

    @Test("snapshots share one budget of bytes, and live listings take none of it")
    func bytes() throws {
        let free = listings.freeSnapshotBytes
        _ = try listings.keep(listing(.live))
        #expect(listings.freeSnapshotBytes == free)
        let token = try #require(listings.keep(listing(.snapshot)))
        // "key0"…"key99" and a byte of value each.
        #expect(listings.freeSnapshotBytes == free - (10 * 5 + 90 * 6))
        _ = listings.end(token, of: name)
        #expect(listings.freeSnapshotBytes == free)
    }

    @Test(
        "a query that cannot be meant is refused with its value",
        arguments: [
            ("mode=fast", "mode \"fast\" is unknown; known are snapshot, live"),
            ("limit=0", "limit must be 1 to 10000, not \"0\""),
            ("limit=10001", "limit must be 1 to 10000, not \"10001\""),
            ("limit=ten", "limit must be 1 to 10000, not \"ten\""),
            ("limit=1&limit=2", "query argument \"limit\" stands twice"),
            ("sort=up", "query argument \"sort\" is unknown; known are mode, prefix, limit, lease_seconds, cursor"),
            ("lease_seconds=0", "lease_seconds must be 1 to 600, not \"0\""),
            ("lease_seconds=601", "lease_seconds must be 1 to 600, not \"601\""),
            ("mode=live&lease_seconds=1h", "lease_seconds must be 1 to 600, not \"1h\""),
        ])
    func badQuery(query: String, expected: String) throws {
        let target = try RequestTarget(parsing: Array("/entries?\(query)".utf8))
        do {
            _ = try ListingQuery(target.query)
            Issue.record("the query was taken")
        } catch {
            #expect(error.status == 400)
            #expect(error.detail == expected)
        }
    }
}
