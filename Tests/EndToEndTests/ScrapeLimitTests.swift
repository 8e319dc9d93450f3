import Foundation
import TestSupport
import Testing

@Suite("Limits of a scrape")
struct ScrapeLimitTests {
    @Test("more scrapes in flight than allowed get a 503 that says when to come again, and later ones are served")
    func maximumRequests() throws {
        let daemon = try MapwatchProcess(["--web.max-requests", "1", "--max-series", "1000000"])
        // So many rows that neither side's kernel can hold the body: the scrape stays in flight.
        for number in 0..<8 { _ = try daemon.data("PUT", "/api/v1/maps/wide-\(number)", body: "{\"shards\":1024}") }
        let slow = try HTTPConnection(port: daemon.metricsPort, timeoutSeconds: 60, receiveBuffer: 4096)
        try slow.sendRequest("GET", "/metrics")
        try slow.skip(20_000)
        let refused = try daemon.web("GET", "/metrics?name[]=mapwatch_maps")
        #expect(refused.status == 503)
        #expect(refused.header("Retry-After") == "1")
        #expect(
            try Problem(refused).detail == "1 scrapes are in flight, as many as --web.max-requests allows")
        // Neither health nor a wrong query counts.
        #expect(try daemon.web("GET", "/-/healthy").status == 200)
        #expect(try daemon.web("GET", "/metrics?debug=x").status == 400)
        slow.close(reset: true)
        try pollUntil("a place for a scrape") { try daemon.web("GET", "/metrics?name[]=mapwatch_maps").status == 200 }
    }

    @Test("a scrape whose time is up gets a valid answer that says what is missing")
    func deadline() throws {
        let daemon = try MapwatchProcess()
        _ = try daemon.data("PUT", "/api/v1/maps/orders")
        // Whether the gather or the clock is first is the scheduler's affair; every answer has to be valid.
        try pollUntil("an answer that says what is missing") {
            let header = ("X-Prometheus-Scrape-Timeout-Seconds", "0.0000001")
            let hurried = try daemon.web("GET", "/metrics", headers: [header])
            #expect(hurried.status == 200)
            return try CheckedExposition(hurried.body).samples("mapwatch_collector_success").contains { $0.value == 0 }
        }
        for text in ["10", "nan", "-1", "1e400", "x"] {
            let answer = try daemon.web("GET", "/metrics", headers: [("X-Prometheus-Scrape-Timeout-Seconds", text)])
            let page = try CheckedExposition(answer.body)
            #expect(page.samples("mapwatch_collector_success").allSatisfy { $0.value == 1 }, "\(text)")
        }
    }

    @Test("a map over the series budget says so in its creation's answer and is one row; further ones are a 507")
    func seriesBudget() throws {
        let daemon = try MapwatchProcess(["--max-series", "600"])
        func detail(_ answer: HTTPClientResponse) throws -> String? {
            struct Map: Decodable { let detail: String }
            return try JSONDecoder().decode(Map.self, from: Data(answer.body)).detail
        }
        let fine = try daemon.data("PUT", "/api/v1/maps/a", body: "{\"shards\":4}")
        #expect(try detail(fine) == "shard")
        let folded = try daemon.data("PUT", "/api/v1/maps/b", body: "{\"shards\":256}")
        #expect(folded.status == 201)
        #expect(try detail(folded) == "map")
        #expect(try detail(daemon.data("GET", "/api/v1/maps/b")) == "map")
        for number in 0..<50 { #expect(try daemon.data("PUT", entry("b", "\(number)"), body: "v").status == 201) }
        let page = try daemon.scrape()
        #expect(page.value("mapwatch_series_budget") == 600)
        #expect(page.value("mapwatch_series_folded") == 1)
        #expect(page.samples("map_entries", ["map_name": "b"]).map(\.labels) == [["map_name": "b", "shard_id": "all"]])
        #expect(page.sum("map_entries", ["map_name": "b"]) == 50)
        #expect(page.samples("map_info").map { $0.labels["detail"] } == ["shard", "map"])
        var refused: HTTPClientResponse?
        for number in 0..<20 where refused == nil {
            let answer = try daemon.data("PUT", "/api/v1/maps/more-\(number)")
            if answer.status != 201 { refused = answer }
        }
        let problem = try Problem(#require(refused))
        #expect(problem.status == 507)
        #expect(problem.detail.contains("are left of the budget of 600; drop a map or raise --max-series"))
        // A scraper's second scrape has everything that was counted, and it fits.
        let all = try daemon.scrape()
        let mapSeries = all.families.flatMap(\.samples).count { $0.labels["map_name"] != nil }
        #expect((400...600).contains(mapSeries))
    }

    @Test("--no-web.article-names takes the alias away, and nothing else")
    func articleNames() throws {
        let alias = "go_map_segment_lock_wait_seconds_total"
        for (arguments, isShown) in [([], true), (["--no-web.article-names"], false)] {
            let daemon = try MapwatchProcess(arguments)
            _ = try daemon.data("PUT", "/api/v1/maps/orders", body: "{\"shards\":11}")
            let page = try daemon.scrape()
            #expect((page.family(alias) != nil) == isShown)
            #expect(page.samples("map_shard_lock_wait_seconds_total").count == 11)
            if isShown { #expect(page.value(alias, ["map_name": "orders", "segment_id": "3"]) == 0) }
        }
    }

    @Test("limits that are none are refused with the flag and the value")
    func badFlags() throws {
        for flag in ["--max-series", "--web.max-requests"] {
            let result = try MapwatchProcess.run(["serve", flag, "0"])
            #expect(result.exit != .code(0))
            #expect(result.errors.contains("\(flag) must be 1 or more, not 0"))
        }
    }
}
