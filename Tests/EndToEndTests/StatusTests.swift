import Foundation
import TestSupport
import Testing

/// What the page draws, as far as these tests read it.
private struct Status: Decodable {
    struct Map: Decodable {
        let name: String
        let shards: Int
        let entries: Int
        let level: String
        let indicators: [String: Indicator]
    }
    struct Indicator: Decodable {
        let value: Double
        let amber: Double?
        let red: Double?
        let level: String
    }
    struct Selected: Decodable {
        struct Sample: Decodable {
            let t: Int
            let entries: Int
            let heat: [Int]?
        }
        let name: String
        let heat: String
        let samples: [Sample]
    }
    struct Scraper: Decodable {
        let name: String
        let interval: Double?
        let scrapes: Int

        private enum CodingKeys: String, CodingKey {
            case name, scrapes
            case interval = "interval_seconds"
        }
    }
    let maps: [Map]
    let scrapers: [Scraper]
    let selected: Selected?
}

@Suite("The status of the metrics listener")
struct StatusTests {
    private func status(_ daemon: MapwatchProcess, _ query: String = "") throws -> Status {
        let answer = try daemon.web("GET", "/api/v1/status" + query)
        #expect(answer.status == 200)
        #expect(answer.header("Content-Type") == "application/json")
        return try JSONDecoder().decode(Status.self, from: Data(answer.body))
    }

    @Test("shows each map with its indicators and lines, and one in detail, a number a shard and second")
    func maps() throws {
        let daemon = try MapwatchProcess()
        #expect(try status(daemon).maps.isEmpty)
        _ = try daemon.data("PUT", "/api/v1/maps/orders", body: "{\"shards\":4}")
        _ = try daemon.data("PUT", "/api/v1/maps/rules", body: "{\"strategy\":\"rwlock\"}")
        for key in 0..<40 { _ = try daemon.data("PUT", entry("orders", "\(key)"), body: "v") }
        let shown = try pollUntilAnswered("three samples of the entries") { () -> Status? in
            let status = try status(daemon, "?map=orders&heat=entries")
            return status.selected?.samples.filter { $0.entries == 40 }.count ?? 0 >= 3 ? status : nil
        }
        #expect(shown.maps.map(\.name) == ["orders", "rules"])
        #expect(shown.maps.map(\.shards) == [4, 1])
        let orders = try #require(shown.maps.first)
        #expect(orders.entries == 40)
        #expect(orders.level == "quiet")
        #expect(orders.indicators["delete_ratio"]?.red == 0.42)
        #expect(orders.indicators["delete_ratio"]?.amber == 0.3)
        #expect(orders.indicators["size_mutation_ratio"]?.amber == 0.15)
        let selected = try #require(shown.selected)
        #expect(selected.name == "orders")
        #expect(selected.samples.map(\.t) == selected.samples.map(\.t).sorted())
        #expect(selected.samples.last?.heat?.count == 4)
        #expect(selected.samples.last?.heat?.reduce(0, +) == 40)
        #expect(try status(daemon, "?map=orders&seconds=2").selected?.samples.count == 2)
        #expect(try status(daemon, "?map=gone").selected == nil)
    }

    @Test("tells who scrapes and how often, and reading it is no scrape")
    func scrapers() throws {
        let daemon = try MapwatchProcess()
        #expect(try status(daemon).scrapers.isEmpty)
        for _ in 0..<3 { _ = try daemon.scrape("/metrics?scraper=a%22%3Cb%3E") }
        let scrapers = try status(daemon).scrapers
        #expect(scrapers.map(\.name) == ["a\"<b>"])
        #expect(scrapers.map(\.scrapes) == [3])
        #expect(try #require(scrapers.first?.interval) > 0)
    }

    @Test(
        "a query that asks for what there is not is a 400 with the value",
        arguments: [
            ("map=A", "\"A\""), ("seconds=0", "not \"0\""), ("seconds=121", "not \"121\""), ("seconds=x", "not \"x\""),
            ("heat=cold", "not \"cold\""),
        ])
    func badQuery(query: String, detail: String) throws {
        let answer = try MapwatchProcess().web("GET", "/api/v1/status?\(query)")
        #expect(answer.status == 400)
        #expect(try Problem(answer).detail.contains(detail))
    }

    @Test(
        "the page and its files forbid all scripts but their own, and are one program", arguments: ["/", "/status.js"])
    func policy(path: String) throws {
        let answer = try MapwatchProcess().web("GET", path)
        #expect(answer.status == 200)
        let policy = try #require(answer.header("Content-Security-Policy"))
        #expect(policy.contains("default-src 'none'; script-src 'self'; style-src 'self'"))
        #expect(!policy.contains("unsafe"))
        #expect(answer.header("X-Content-Type-Options") == "nosniff")
    }
}
