import TestSupport
import Testing

@Suite("Listings")
struct ListingTests {
    private let daemon: MapwatchProcess
    private let stored: [[UInt8]: [UInt8]]

    /// 250 entries, 120 of them with the prefix `a/`.
    init() throws {
        daemon = try MapwatchProcess()
        _ = try daemon.data("PUT", "/api/v1/maps/orders")
        let pairs = (0..<250).map { number in
            (Array("\(number < 120 ? "a" : "b")/\(number)".utf8), Array("value \(number)".utf8))
        }
        stored = Dictionary(uniqueKeysWithValues: pairs)
        let operations = pairs.map { MapOperation.put(key: $0.0, value: $0.1) }
        _ = try BatchCoder().send(operations, to: "orders", over: daemon.connectToData())
    }

    @Test("pages end with a null cursor and hold each entry once", arguments: ["snapshot", "live"])
    func pages(mode: String) throws {
        let pages = try daemon.allPages("orders", "mode=\(mode)&limit=100")
        #expect(pages.map(\.count) == [100, 100, 50])
        #expect(pages.reduce(into: [:]) { $0.merge($1.entries) { $1 } } == stored)
        let whole = try daemon.page("orders", "mode=\(mode)&limit=250")
        #expect(whole.cursor == nil)
        #expect(whole.entries == stored)
    }

    @Test("a prefix narrows a listing, to nothing if need be", arguments: ["snapshot", "live"])
    func prefix(mode: String) throws {
        let pages = try daemon.allPages("orders", "mode=\(mode)&prefix=a%2F&limit=50")
        #expect(pages.map(\.count) == [50, 50, 20])
        #expect(
            pages.reduce(into: [:]) { $0.merge($1.entries) { $1 } }
                == stored.filter { $0.key.first == UInt8(ascii: "a") })
        let none = try daemon.page("orders", "mode=\(mode)&prefix=c")
        #expect(none.count == 0)
        #expect(none.cursor == nil)
    }

    @Test("a snapshot shows the map as it was when the first page was asked for")
    func snapshot() throws {
        let first = try daemon.page("orders", "limit=10")
        let cursor = try #require(first.cursor)
        #expect(try daemon.data("POST", "/api/v1/maps/orders/delete", body: "{\"prefix\":\"\"}").text.contains("250"))
        #expect(try daemon.data("PUT", entry("orders", "late"), body: "v").status == 201)
        let second = try daemon.page("orders", "limit=10000&cursor=\(cursor)")
        #expect(second.cursor == nil)
        #expect(first.entries.merging(second.entries) { $1 } == stored)
    }

    @Test("a live listing omits no key that stays and shows none that has gone before its turn")
    func live() throws {
        let first = try daemon.page("orders", "mode=live&limit=10")
        let cursor = try #require(first.cursor)
        #expect(try daemon.data("POST", "/api/v1/maps/orders/delete", body: "{\"prefix\":\"a/\"}").text.contains("120"))
        let rest = try daemon.page("orders", "limit=10000&cursor=\(cursor)")
        #expect(rest.cursor == nil)
        #expect(rest.entries.keys.allSatisfy { $0.first == UInt8(ascii: "b") })
        let staying = stored.filter { $0.key.first == UInt8(ascii: "b") }
        let seen = first.entries.filter { $0.key.first == UInt8(ascii: "b") }.merging(rest.entries) { $1 }
        #expect(seen == staying)
        #expect(Set(first.entries.keys).isDisjoint(with: rest.entries.keys))
    }

    @Test("an ended listing is a 404, whether it was ended or read to its end or its map was dropped")
    func ending() throws {
        let path = "/api/v1/maps/orders/entries"
        let ended = try #require(try daemon.page("orders", "limit=10").cursor)
        #expect(try daemon.data("DELETE", "\(path)?cursor=\(ended)").status == 204)
        let finished = try #require(try daemon.page("orders", "limit=10").cursor)
        #expect(try daemon.page("orders", "limit=10000&cursor=\(finished)").cursor == nil)
        for cursor in [ended, finished] {
            #expect(try daemon.data("GET", "\(path)?cursor=\(cursor)").status == 404)
            #expect(try daemon.data("DELETE", "\(path)?cursor=\(cursor)").status == 404)
        }

        let open = try #require(try daemon.page("orders", "limit=10").cursor)
        #expect(try daemon.data("PUT", "/api/v1/maps/other").status == 201)
        #expect(try daemon.data("GET", "/api/v1/maps/other/entries?cursor=\(open)").status == 404)
        let changed = try daemon.data("GET", "\(path)?mode=live&cursor=\(open)")
        #expect(changed.status == 400)
        #expect(try Problem(changed).detail.contains("mode, prefix and lease_seconds cannot change"))
        #expect(try daemon.data("DELETE", "/api/v1/maps/orders").status == 204)
        #expect(try daemon.data("PUT", "/api/v1/maps/orders").status == 201)
        #expect(try daemon.data("GET", "\(path)?cursor=\(open)").status == 404)
    }

    @Test("ten deletes beside a live listing count ten on its map, and none once it was ended")
    func deletesDuringIteration() throws {
        func delete(_ numbers: Range<Int>) throws {
            let keys = numbers.map { "\"a/\($0)\"" }.joined(separator: ",")
            let answer = try daemon.data("POST", "/api/v1/maps/orders/delete", body: "{\"keys\":[\(keys)]}")
            #expect(answer.text == "{\"deleted\":\(numbers.count)}\n")
        }
        func open() throws -> (iterators: Double?, live: Double?, snapshots: Double?, deletes: Double?) {
            let scrape = try daemon.scrape()
            return (
                scrape.value("map_iterators_open", ["map_name": "orders"]),
                scrape.value("mapwatch_listings_open", ["mode": "live"]),
                scrape.value("mapwatch_listings_open", ["mode": "snapshot"]),
                scrape.sum("map_op_delete_during_iteration_total", ["map_name": "orders"])
            )
        }
        #expect(try open() == (0, 0, 0, 0))
        // A snapshot does not see the deletes, so they are none to it.
        _ = try daemon.page("orders", "mode=snapshot&limit=10")
        try delete(0..<5)
        #expect(try open() == (0, 0, 1, 0))
        let cursor = try #require(try daemon.page("orders", "mode=live&limit=10").cursor)
        try delete(5..<15)
        #expect(try open() == (1, 1, 1, 10))
        #expect(try daemon.data("DELETE", "/api/v1/maps/orders/entries?cursor=\(cursor)").status == 204)
        try delete(15..<20)
        #expect(try open() == (0, 0, 1, 10))
    }

    @Test("a listing that nobody continues shows its age, and ends at its lease")
    func lease() throws {
        let refused = try daemon.data("GET", "/api/v1/maps/orders/entries?lease_seconds=5")
        #expect(refused.status == 400)
        #expect(try Problem(refused).detail.hasPrefix("lease_seconds is for mode=live"))
        let cursor = try #require(try daemon.page("orders", "mode=live&limit=10&lease_seconds=2").cursor)
        try pollUntil("an age") {
            try daemon.scrape().value("map_iterator_age_seconds", ["map_name": "orders"]) ?? 0 > 0.5
        }
        try pollUntil("the end of the lease") {
            try daemon.scrape().value("map_iterators_open", ["map_name": "orders"]) == 0
        }
        #expect(try daemon.data("GET", "/api/v1/maps/orders/entries?cursor=\(cursor)").status == 404)
        #expect(try daemon.scrape().value("map_iterator_age_seconds", ["map_name": "orders"]) == 0)
    }

    @Test("each listing counts an iteration on every shard, and no load")
    func iterations() throws {
        _ = try daemon.allPages("orders", "mode=live&limit=100")
        _ = try daemon.allPages("orders", "mode=snapshot&limit=100")
        let scrape = try daemon.scrape()
        let rows = scrape.samples("map_op_iterate_total", ["map_name": "orders"])
        #expect(rows.map(\.value) == Array(repeating: 2, count: 32))
        #expect(scrape.sum("map_op_load_total", ["map_name": "orders"]) == 0)
    }
}
