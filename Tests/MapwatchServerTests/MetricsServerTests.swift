import CoreMetrics
import InstrumentedMaps
import MapwatchMetrics
import MapwatchServer
import TestSupport
import Testing

@Suite("A program's own metrics server")
struct MetricsServerTests {
    private func get(_ server: MetricsServer, _ target: String) throws -> HTTPClientResponse {
        let port = try #require(UInt16(server.boundAddress.split(separator: ":").last ?? ""))
        let connection = try HTTPConnection(port: port)
        defer { connection.close() }
        return try connection.request("GET", target)
    }

    private func scrape(_ server: MetricsServer) throws -> CheckedExposition {
        try CheckedExposition(get(server, "/metrics").body)
    }

    @Test("shows the program's maps as the daemon shows its own, and the metrics that it already had")
    func showsBoth() throws {
        let orders = ShardedMap<String, Int>("orders", shards: 4)
        let metrics = ServiceMetrics()
        let server = try MetricsServer(maps: [orders], address: "127.0.0.1:0", collectors: [metrics])
        for number in 0..<100 { orders.store("order \(number)", number) }
        metrics.makeCounter(label: "shop.ordered", dimensions: [("country", "pt")]).increment(by: 100)
        let page = try scrape(server)
        #expect(page.sum("map_op_insert_total", ["map_name": "orders"]) == 100)
        #expect(page.samples("map_entries", ["map_name": "orders"]).count == 4)
        #expect(page.value("shop_ordered_total", ["country": "pt"]) == 100)
        #expect(page.value("mapwatch_collector_success", ["collector": "service"]) == 1)
        #expect(try scrape(server).value("map_size_delta_interval_seconds", ["map_name": "orders"]) != nil)
        #expect(try get(server, "/-/healthy").status == 200)
        #expect(try get(server, "/-/ready").status == 200)
    }

    @Test("computes the indicators while it runs, and drains when its task is cancelled")
    func runsAndDrains() async throws {
        let orders = ShardedMap<Int, Int>("orders", shards: 1)
        let server = try MetricsServer(maps: [orders], address: "127.0.0.1:0")
        let running = Task { try await server.run() }
        // The first sample comes at once.
        while try scrape(server).value("map_indicator_line", ["map_name": "orders", "indicator": "delete_ratio"]) == nil
        {
            await Task.yield()
        }
        running.cancel()
        try await running.value
        #expect(throws: HTTPClientError.self) { try get(server, "/metrics") }
    }

    @Test("maps come and go while it serves, and two maps of one name are refused")
    func mapsComeAndGo() throws {
        let carts = ShardedMap<Int, Int>("carts", shards: 1)
        let server = try MetricsServer(address: "127.0.0.1:0")
        try server.host.register(carts)
        #expect(try scrape(server).family("map_entries")?.samples.count == 1)
        #expect(server.host.unregister(carts))
        #expect(try scrape(server).family("map_entries")?.samples.isEmpty != false)
        #expect(throws: MapHostError.nameTaken(carts.name)) {
            try MetricsServer(maps: [carts, ShardedMap<Int, Int>("carts", shards: 1)], address: "127.0.0.1:0")
        }
    }

    @Test("an address that is taken is an error of the start, with the address in it")
    func addressTaken() throws {
        let server = try MetricsServer(address: "127.0.0.1:0")
        #expect {
            try MetricsServer(address: server.boundAddress)
        } throws: { error in
            "\(error)".contains(server.boundAddress)
        }
    }
}
