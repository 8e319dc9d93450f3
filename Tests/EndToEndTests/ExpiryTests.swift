import Foundation
import TestSupport
import Testing

@Suite("Expiry over HTTP")
struct ExpiryTests {
    private let daemon: MapwatchProcess
    private let connection: HTTPConnection

    init() throws {
        daemon = try MapwatchProcess()
        connection = try daemon.connectToData()
    }

    private func put(_ map: String, _ key: String, _ headers: [(String, String)] = []) throws -> Int {
        try connection.request("PUT", entry(map, key), headers: headers, body: Array("v".utf8)).status
    }

    private func statuses(_ map: String, _ keys: [String]) throws -> [Int] {
        try keys.map { try connection.request("GET", entry(map, $0)).status }
    }

    @Test("entries go when their time is over, whoever set it, and count as deletes")
    func expires() throws {
        #expect(try daemon.data("PUT", "/api/v1/maps/short", body: "{\"ttl_seconds\":1}").status == 201)
        #expect(try daemon.data("PUT", "/api/v1/maps/long").status == 201)
        #expect(try put("short", "default") == 201)
        #expect(try put("short", "own", [("X-Mapwatch-TTL", "3600")]) == 201)
        #expect(try put("long", "default") == 201)
        #expect(try put("long", "own", [("X-Mapwatch-TTL", "1")]) == 201)
        #expect(try put("long", "if-absent", [("X-Mapwatch-TTL", "1"), ("If-None-Match", "*")]) == 201)
        let batch = """
            {"op":"put","key":"line","value":"v","ttl_seconds":1}
            {"op":"put","key":"plain","value":"v"}

            """
        #expect(try daemon.data("POST", "/api/v1/maps/long/batch", body: batch).status == 200)
        try pollUntil("the entries to go") {
            try statuses("short", ["default", "own"]) == [404, 200]
                && statuses("long", ["default", "own", "if-absent", "line", "plain"]) == [200, 404, 404, 404, 200]
        }
        // What is gone is absent to conditions too.
        #expect(try put("short", "default", [("If-Match", "*")]) == 412)
        #expect(try put("long", "if-absent", [("If-None-Match", "*")]) == 201)
        #expect(try daemon.page("short").entries.count == 1)
        try pollUntil("the memory to go") {
            let scrape = try daemon.scrape()
            let deletes = ["short", "long"].map { scrape.sum("map_op_delete_total", ["map_name": $0]) }
            let entries = ["short", "long"].map { scrape.sum("map_entries", ["map_name": $0]) }
            return deletes == [1, 3] && entries == [1, 3]
        }
    }

    @Test("a map shows its time, and stands otherwise with another")
    func shown() throws {
        let made = try daemon.data("PUT", "/api/v1/maps/carts", body: "{\"shards\":2,\"ttl_seconds\":90}")
        #expect(made.status == 201)
        #expect(made.text.contains("\"ttl_seconds\":90"))
        #expect(try daemon.data("GET", "/api/v1/maps/carts").text.contains("\"ttl_seconds\":90"))
        #expect(try daemon.data("PUT", "/api/v1/maps/carts", body: "{\"ttl_seconds\":90,\"shards\":2}").status == 200)
        let other = try daemon.data("PUT", "/api/v1/maps/carts", body: "{\"shards\":2}")
        #expect(other.status == 409)
        #expect(try Problem(other).detail.contains("ttl_seconds 90"))
        let info = ["map_name": "carts", "ttl_seconds": "90"]
        #expect(try daemon.scrape().samples("map_info", info).count == 1)
    }

    @Test(
        "a time that is none is a 400 with its value, and nothing is stored",
        arguments: ["0", "-1", "1.5", "", "ten", "31536001", "99999999999999999999", "+5"])
    func refusesHeader(text: String) throws {
        _ = try daemon.data("PUT", "/api/v1/maps/carts")
        let answer = try connection.request(
            "PUT", entry("carts", "a"), headers: [("X-Mapwatch-TTL", text)], body: Array("v".utf8))
        #expect(answer.status == 400)
        let problem = try Problem(answer)
        #expect(problem.field == "X-Mapwatch-TTL")
        #expect(
            problem.detail == "X-Mapwatch-TTL must be a whole number of seconds, 1 to 31536000, not: \(text)")
        #expect(try statuses("carts", ["a"]) == [404])
    }
}
