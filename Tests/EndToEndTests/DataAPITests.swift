import Foundation
import TestSupport
import Testing

@Suite("The data API")
struct DataAPITests {
    private let daemon: MapwatchProcess

    init() throws {
        daemon = try MapwatchProcess()
        _ = try daemon.data("PUT", "/api/v1/maps/orders", body: "{\"shards\":4}")
    }

    @Test("a map is created once, stands so already, and is listed with its options and figures")
    func maps() throws {
        let first = try daemon.data("PUT", "/api/v1/maps/rules", body: "{\"strategy\":\"rwlock\"}")
        let again = try daemon.data("PUT", "/api/v1/maps/rules", body: "{\"strategy\":\"rwlock\"}")
        #expect(first.status == 201)
        #expect(again.status == 200)
        #expect(first.header("Content-Type") == "application/json")
        #expect(try daemon.data("PUT", "/api/v1/maps/plain").status == 201)
        #expect(try daemon.data("PUT", "/api/v1/maps/plain", body: "{}").status == 200)
        #expect(try daemon.data("PUT", "/api/v1/maps/plain", body: "{\"shards\":32}").status == 200)
        for key in ["a", "b", "b"] { _ = try daemon.data("PUT", entry("rules", key), body: "v") }
        _ = try daemon.data("GET", entry("rules", "a"))

        struct Figures: Decodable, Equatable {
            let name: String
            let strategy: String
            let shards: Int
            let entries: Int
            let writes: Int
            let deletes: Int
            let loads: Int
        }
        func figures(_ name: String, _ strategy: String, _ shards: Int, _ counts: [Int]) -> Figures {
            Figures(
                name: name, strategy: strategy, shards: shards, entries: counts[0], writes: counts[1],
                deletes: counts[2], loads: counts[3])
        }
        let rules = figures("rules", "rwlock", 1, [2, 3, 0, 1])
        let list = try daemon.data("GET", "/api/v1/maps")
        #expect(list.header("Content-Type") == "application/json")
        #expect(
            try JSONDecoder().decode([Figures].self, from: Data(list.body)) == [
                figures("orders", "sharded", 4, [0, 0, 0, 0]), figures("plain", "sharded", 32, [0, 0, 0, 0]), rules,
            ])
        let one = try daemon.data("GET", "/api/v1/maps/rules")
        #expect(try JSONDecoder().decode(Figures.self, from: Data(one.body)) == rules)
    }

    @Test(
        "any bytes are a key, and its value comes back byte for byte",
        arguments: [
            [0x2f], [0x00], [0xff], [0x61, 0x2f, 0x62], [0x00, 0x00, 0xff, 0x2f], [0x25, 0x32, 0x46], [0x2e, 0x2e],
            Array("é 😀?#&+=\"\\".utf8), Array(0...255), Array(repeating: 0xfe, count: 1024),
        ] as [[UInt8]])
    func keys(key: [UInt8]) throws {
        let neighbours: [[UInt8]] = [Array((key + [0x00]).prefix(1024)), Array((key + [0x2f]).prefix(1024))]
        let value = key + [0x00, 0x0a, 0xff]
        #expect(try daemon.data("PUT", entry("orders", key), body: value).status == 201)
        #expect(try daemon.data("PUT", entry("orders", key), body: value).status == 204)
        let found = try daemon.data("GET", entry("orders", key))
        #expect(found.status == 200)
        #expect(found.body == value)
        #expect(found.header("Content-Type") == "application/octet-stream")
        for other in neighbours where other != key {
            #expect(try daemon.data("GET", entry("orders", other)).status == 404)
        }
        #expect(try daemon.page("orders").entries == [key: value])
        #expect(try daemon.data("DELETE", entry("orders", key)).status == 204)
        #expect(try daemon.data("DELETE", entry("orders", key)).status == 404)
    }

    @Test("values are 0 bytes to exactly 1 MiB", arguments: [0, 1, (1 << 20) - 1, 1 << 20])
    func values(size: Int) throws {
        let value = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        #expect(try daemon.data("PUT", entry("orders", "k"), body: value).status == 201)
        #expect(try daemon.data("GET", entry("orders", "k")).body == value)
        let head = try daemon.data("HEAD", entry("orders", "k"))
        #expect(head.header("Content-Length") == "\(size)")
    }

    @Test("a chunked body is a value too")
    func chunked() throws {
        let value = Array("chunk by chunk".utf8)
        let connection = try daemon.connectToData()
        #expect(try connection.chunkedRequest("PUT", entry("orders", "k"), body: value, chunkSize: 3).status == 201)
        #expect(try daemon.data("GET", entry("orders", "k")).body == value)
    }

    @Test("entries that are no UTF-8 are listed in base64")
    func base64Listing() throws {
        #expect(try daemon.data("PUT", entry("orders", [0xff, 0x01]), body: [0xfe]).status == 201)
        let answer = try daemon.data("GET", "/api/v1/maps/orders/entries")
        #expect(answer.header("Content-Type") == "application/x-ndjson")
        #expect(answer.text == "{\"key64\":\"/wE=\",\"value64\":\"/g==\"}\n{\"cursor\":null}\n")
    }

    @Test("a batch answers each line in order, a missing last line feed included")
    func batch() throws {
        let answer = try daemon.data(
            "POST", "/api/v1/maps/orders/batch",
            body: """
                {"op":"put","key":"a","value":"1"}
                {"op":"put","key":"a","value":"2"}
                {"op":"get","key":"a"}
                {"op":"put","key64":"/w==","value64":"/wA="}
                {"op":"get","key64":"/w=="}
                {"op":"delete","key":"a"}
                {"op":"delete","key":"a"}
                {"op":"get","key":"a"}
                """)
        #expect(answer.header("Content-Type") == "application/x-ndjson")
        #expect(
            answer.text == """
                {"status":201}
                {"status":204}
                {"status":200,"value":"2"}
                {"status":201}
                {"status":200,"value64":"/wA="}
                {"status":204}
                {"status":404}
                {"status":404}

                """)
        #expect(try daemon.data("POST", "/api/v1/maps/orders/batch").text == "")
    }

    @Test("a dropped map takes its series away, its entries are counted, and a new one of its name starts at 0")
    func drop() throws {
        for number in 0..<9 { _ = try daemon.data("PUT", entry("orders", "\(number)"), body: "v") }
        let before = try daemon.scrape()
        #expect(before.sum("map_entries", ["map_name": "orders"]) == 9)
        #expect(before.value("mapwatch_maps") == 1)
        #expect(before.value("mapwatch_maps_dropped_total") == 0)
        #expect(try daemon.data("DELETE", "/api/v1/maps/orders").status == 204)

        let dropped = try daemon.scrape()
        #expect(dropped.families.allSatisfy { $0.samples.allSatisfy { $0.labels["map_name"] != "orders" } })
        #expect(dropped.value("mapwatch_maps") == 0)
        #expect(dropped.value("mapwatch_maps_dropped_total") == 1)
        #expect(dropped.value("mapwatch_entries_dropped_total") == 9)
        #expect(before.value("mapwatch_maps_allocated_bytes") ?? 0 > 0)
        #expect(dropped.value("mapwatch_maps_allocated_bytes") == 0, "its memory is given back")
        #expect(try daemon.data("PUT", entry("orders", "k"), body: "v").status == 404)

        #expect(try daemon.data("PUT", "/api/v1/maps/orders", body: "{\"shards\":2}").status == 201)
        try expect(daemon.scrape(), map: "orders", shards: 2, equals: OperationLedger())
        #expect(try daemon.page("orders").entries.isEmpty)
    }

    @Test("over max_bytes a put is a 507 that names the bound, a batch line too; reads go on, and deletes make room")
    func memoryBound() throws {
        let bound = "{\"shards\":1,\"max_bytes\":1048576}"
        #expect(try daemon.data("PUT", "/api/v1/maps/small", body: bound).status == 201)
        #expect(try daemon.data("PUT", entry("small", "a"), body: "kept").status == 201)
        let large = String(repeating: "x", count: 900_000)
        #expect(try daemon.data("PUT", entry("small", "b"), body: large).status == 201)
        let refused = try daemon.data("PUT", entry("small", "c"), body: large)
        #expect(refused.status == 507)
        #expect(refused.text.contains("its max_bytes is 1048576"))
        let line = "{\"op\":\"put\",\"key\":\"c\",\"value\":\"\(large)\"}\n"
        #expect(try daemon.data("POST", "/api/v1/maps/small/batch", body: line).text == "{\"status\":507}\n")
        #expect(try daemon.data("GET", entry("small", "a")).text == "kept")
        let scrape = try daemon.scrape()
        #expect(scrape.value("map_op_refused_total", ["map_name": "small", "reason": "memory"]) == 2)
        #expect(scrape.sum("map_op_total", ["map_name": "small"]) == 2)
        #expect(try daemon.data("DELETE", entry("small", "b")).status == 204)
        #expect(try daemon.data("PUT", entry("small", "c"), body: large).status == 201)
    }
}
