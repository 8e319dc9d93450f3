import Foundation
import TestSupport
import Testing

@Suite("Deltas per scrape")
struct SizeDeltaTests {
    private let daemon: MapwatchProcess

    init() throws {
        daemon = try MapwatchProcess(["--log.level", "debug", "--max-series", "1000000"])
        _ = try daemon.data("PUT", "/api/v1/maps/orders")
    }

    /// Puts that many new keys.
    private func grow(_ name: String, by count: Int) throws {
        for number in 0..<count {
            #expect(try daemon.data("PUT", entry("orders", "\(name)/\(number)"), body: "value").status == 201)
        }
    }

    /// The entries that a scrape says have come since the last; nil when it has no deltas.
    private func delta(_ exposition: CheckedExposition) -> Double? {
        exposition.sum("map_size_delta_entries", ["map_name": "orders"])
    }

    @Test("a first scrape has no deltas, the second those since, and a HEAD between them moves nothing")
    func sequence() throws {
        try grow("before", by: 3)
        let first = try daemon.scrape()
        let names = ["map_size_delta_entries", "map_size_delta_bytes", "map_size_delta_interval_seconds"]
        for name in names { #expect(first.family(name) == nil) }
        try grow("after", by: 7)
        #expect(try daemon.web("HEAD", "/metrics").status == 200)
        let second = try daemon.scrape()
        #expect(delta(second) == 7)
        for name in names.prefix(2) { #expect(second.samples(name, ["map_name": "orders"]).count == 32) }
        #expect(second.sum("map_size_delta_bytes") ?? 0 >= 7 * 5)
        #expect(second.value("map_size_delta_interval_seconds", ["map_name": "orders"]) ?? 0 > 0)
        #expect(try delta(daemon.scrape()) == 0)
        #expect(try daemon.data("POST", "/api/v1/maps/orders/delete", body: "{\"prefix\":\"after/\"}").status == 200)
        #expect(try delta(daemon.scrape()) == -7)
    }

    @Test("named scrapers, a Prometheus and curl do not disturb one another")
    func apart() throws {
        let curl = try MissingTool.path(of: "curl")
        let prometheus = [("User-Agent", "Prometheus/3.0"), ("X-Prometheus-Scrape-Timeout-Seconds", "10")]
        func scrapes() throws -> [Double?] {
            let byCurl = try ChildProcess.run(
                curl, ["--silent", "--show-error", "http://127.0.0.1:\(daemon.metricsPort)/metrics"])
            #expect(byCurl.exit == .code(0))
            return [
                delta(try CheckedExposition(Array(byCurl.output.utf8))),
                delta(try daemon.scrape("/metrics?scraper=a")),
                delta(try CheckedExposition(daemon.web("GET", "/metrics", headers: prometheus).body)),
            ]
        }
        #expect(try scrapes() == [nil, nil, nil])
        try grow("one", by: 2)
        #expect(try delta(daemon.scrape("/metrics?scraper=a")) == 2)
        try grow("two", by: 5)
        #expect(try scrapes() == [7, 5, 7])
        #expect(try delta(daemon.scrape("/metrics?scraper=b")) == nil)
        #expect(try scrapes() == [0, 0, 0])
    }

    @Test("a scrape that is broken off in the middle of its body moves nothing")
    func aborted() throws {
        // So many rows that neither side's kernel can hold the body.
        for number in 0..<8 {
            _ = try daemon.data("PUT", "/api/v1/maps/wide-\(number)", body: "{\"shards\":1024}")
        }
        #expect(try delta(daemon.web("GET", "/metrics?scraper=a")) == nil)
        try grow("one", by: 7)
        let connection = try HTTPConnection(port: daemon.metricsPort, timeoutSeconds: 60, receiveBuffer: 4096)
        try connection.sendRequest("GET", "/metrics?scraper=a")
        try connection.skip(20_000)
        connection.close(reset: true)
        // The daemon logs a request when it has ended, however it did: this is the second one.
        _ = try daemon.child.waitForErrorLines(2, holding: ["msg=request", "handler=metrics", "code=200"])
        #expect(try delta(daemon.web("GET", "/metrics?scraper=a")) == 7)
        #expect(try delta(daemon.web("GET", "/metrics?scraper=a")) == 0)
    }

    @Test("part of the families and a look at a format move nothing")
    func partsMoveNothing() throws {
        #expect(try delta(daemon.scrape()) == nil)
        try grow("one", by: 4)
        for query in [
            "name[]=map_size_delta_entries", "name[]=map_entries&scraper=default", "debug=text", "debug=openmetrics",
        ] {
            let answer = try daemon.web("GET", "/metrics?\(query)")
            #expect(answer.status == 200)
            #expect(!answer.text.contains("map_size_delta"))
        }
        _ = try daemon.web("GET", "/-/healthy")
        #expect(try delta(daemon.scrape()) == 4)
    }

    @Test("two scrapers of different periods and a curl each see sums that agree with the monotone counters")
    func sumsAgree() throws {
        var sums = ["fast": 0.0, "slow": 0, "default": 0]
        var starts: [String: Double] = [:]
        var ends: [String: Double] = [:]
        for round in 0..<24 {
            try grow("round-\(round)", by: round % 5)
            if round % 3 == 2 {
                _ = try daemon.data(
                    "POST", "/api/v1/maps/orders/delete", body: "{\"prefix\":\"round-\(round - 1)/\"}")
            }
            for (name, period) in [("fast", 1), ("slow", 5), ("default", 3)] where round % period == 0 {
                let page = try daemon.scrape(name == "default" ? "/metrics" : "/metrics?scraper=\(name)")
                let added = try #require(page.sum("map_entries_added_total", ["map_name": "orders"]))
                let removed = try #require(page.sum("map_entries_removed_total", ["map_name": "orders"]))
                if let delta = delta(page) { sums[name]? += delta } else { starts[name] = added - removed }
                ends[name] = added - removed
            }
        }
        for name in sums.keys { #expect(sums[name] == (ends[name] ?? .nan) - (starts[name] ?? .nan), "\(name)") }
    }

    @Test("ten thousand names keep 64 cursors, and the drops are counted")
    func cursorsAreBounded() throws {
        let connection = try HTTPConnection(port: daemon.metricsPort, timeoutSeconds: 60)
        defer { connection.close() }
        for _ in 0..<100 {
            let names = (0..<100).map { _ in "GET /metrics?scraper=\(UUID().uuidString) HTTP/1.1\r\nHost: x\r\n\r\n" }
            try connection.send(names.joined())
            for _ in names { #expect(try connection.readResponse().status == 200) }
        }
        // A scrape moves its cursor when it has ended, which its client cannot see.
        try pollUntil("the last cursor") {
            try daemon.scrape("/metrics?debug=text").value("mapwatch_scraper_cursors_dropped_total") == 9_936
        }
        #expect(try daemon.scrape("/metrics?debug=text").value("mapwatch_scraper_cursors") == 64)
    }

    /// The same from a body of 150,000 lines, which would keep the strict reader busy for long.
    private func delta(_ answer: HTTPClientResponse) -> Double? {
        let rows = answer.text.components(separatedBy: "\n").filter {
            $0.hasPrefix("map_size_delta_entries{map_name=\"orders\"")
        }
        return rows.isEmpty ? nil : rows.reduce(0) { $0 + (Double($1.split(separator: " ").last ?? "") ?? .nan) }
    }
}
