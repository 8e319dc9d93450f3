import Foundation
import TestSupport
import Testing

@Suite("The metrics listener")
struct MetricsListenerTests {
    private static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Families with a row a shard, all at 0 while a map is fresh.
    private static let zeroFamilies = [
        "map_op_total", "map_op_insert_total", "map_op_update_total", "map_op_delete_total",
        "map_op_delete_miss_total", "map_op_load_total", "map_op_load_miss_total", "map_op_iterate_total",
        "map_entries", "map_entries_added_total", "map_entries_removed_total", "mem_map_size_bytes",
        "map_shard_lock_acquired_total", "map_shard_lock_contended_total", "map_shard_lock_wait_seconds_total",
        "map_shard_lock_waiters", "map_shard_lock_wait_max_seconds",
    ]

    /// Families that there are without any map.
    private static let daemonFamilies = [
        "mapwatch_build_info", "mapwatch_maps", "mapwatch_maps_dropped_total", "mapwatch_entries_dropped_total",
        "mapwatch_undeclared_map_writes_total", "mapwatch_http_connections", "mapwatch_http_rejected_total",
        "mapwatch_collector_duration_seconds", "mapwatch_collector_success", "process_cpu_seconds_total",
        "process_resident_memory_bytes", "process_virtual_memory_bytes", "process_threads",
        "process_start_time_seconds", "process_open_fds", "process_max_fds",
    ]

    /// A daemon with a map of each strategy.
    private func daemonWithMaps() throws -> MapwatchProcess {
        let daemon = try MapwatchProcess()
        #expect(try daemon.data("PUT", "/api/v1/maps/orders").status == 201)
        #expect(try daemon.data("PUT", "/api/v1/maps/rules", body: "{\"strategy\":\"rwlock\"}").status == 201)
        return daemon
    }

    /// A few hundred operations of every kind on both maps.
    private func load(_ daemon: MapwatchProcess) throws {
        let connection = try daemon.connectToData()
        let operations = (0..<300).flatMap { number -> [MapOperation] in
            let key = Array("key \(number % 90)".utf8)
            let put = MapOperation.put(key: key, value: Array(repeating: 0x76, count: number))
            return [put, .get(key: key)] + (number.isMultiple(of: 3) ? [.delete(key: key), .get(key: key)] : [])
        }
        for map in ["orders", "rules"] {
            _ = try BatchCoder().send(operations, to: map, over: connection)
            _ = try daemon.page(map, "limit=5")
            _ = try daemon.page(map, "limit=5&mode=live")
        }
        #expect(try daemon.data("PUT", entry("undeclared", "k"), body: "v").status == 404)
    }

    @Test("a scrape is well formed without maps, with fresh ones and after load")
    func wellFormed() throws {
        let empty = try MapwatchProcess()
        let answer = try empty.web("GET", "/metrics")
        #expect(answer.status == 200)
        #expect(answer.header("Content-Type") == Self.contentType)
        let first = try CheckedExposition(answer.body)
        for family in Self.daemonFamilies { #expect(first.family(family) != nil, "\(family)") }
        #expect(first.sum("mapwatch_collector_success") == Double(first.samples("mapwatch_collector_success").count))

        let daemon = try daemonWithMaps()
        #expect(try daemon.scrape().samples("map_info").count == 2)
        try load(daemon)
        let loaded = try daemon.scrape()
        #expect(loaded.sum("map_op_total", ["map_name": "orders"]) ?? 0 > 300)
        // One snapshot of the listener's counters shows both.
        let answered = loaded.sum("mapwatch_http_requests_total", ["listener": "data"])
        #expect(loaded.value("mapwatch_http_request_duration_seconds_count", ["listener": "data"]) == answered)
        #expect(loaded.sum("mapwatch_http_request_duration_seconds_sum") ?? 0 > 0)
        let batches = ["listener": "data", "handler": "batch", "code": "200"]
        #expect(loaded.value("mapwatch_http_requests_total", batches) == 2)
        #expect(loaded.value("mapwatch_undeclared_map_writes_total") == 1)
    }

    @Test("every series of a map stands at 0 from its creation, with ids padded to one width")
    func zeros() throws {
        let daemon = try daemonWithMaps()
        let scrape = try daemon.scrape()
        for family in Self.zeroFamilies {
            let rows = scrape.samples(family, ["map_name": "orders"])
            #expect(rows.map { $0.labels["shard_id"] } == (0..<32).map { $0 < 10 ? "0\($0)" : "\($0)" }, "\(family)")
            #expect(rows.allSatisfy { $0.value == 0 }, "\(family)")
            #expect(scrape.value(family, ["map_name": "rules", "shard_id": "0"]) == 0, "\(family)")
        }
        for family in ["map_capacity", "map_allocated_bytes"] {
            #expect(scrape.samples(family, ["map_name": "orders"]).count == 32, "\(family)")
        }
        let info = [
            "map_name": "rules", "strategy": "rwlock", "shards": "1", "mode": "normal", "detail": "shard",
            "policy": "none", "ttl_seconds": "none",
        ]
        #expect(scrape.value("map_info", info) == 1)
        let created = try #require(scrape.value("map_created_timestamp_seconds", ["map_name": "rules"]))
        let started = try #require(scrape.value("process_start_time_seconds"))
        // The start is known to a tick of the kernel only.
        #expect(created > started - 1)
    }

    @Test("promtool has nothing to say about a scrape, fresh or after load")
    func promtool() throws {
        let promtool = try MissingTool.path(of: "promtool")
        let daemon = try daemonWithMaps()
        let folder = try TemporaryFolder()
        for name in ["fresh", "second", "loaded"] {
            if name == "loaded" { try load(daemon) }
            let file = try folder.write(name, daemon.web("GET", "/metrics").text)
            let result = try ChildProcess.run(promtool, ["check", "metrics"], standardInput: file)
            #expect(result.exit == .code(0), "\(name)")
            #expect(result.output + result.errors == "", "\(name)")
        }
    }

    @Test("HEAD has the headers of GET and no body", arguments: ["/", "/-/healthy", "/-/ready"])
    func head(path: String) throws {
        let daemon = try MapwatchProcess()
        let get = try daemon.web("GET", path)
        let head = try daemon.web("HEAD", path)
        #expect(get.status == 200)
        #expect(head.status == 200)
        #expect(!get.body.isEmpty)
        for name in ["Content-Length", "Content-Type"] { #expect(head.header(name) == get.header(name)) }
        #expect(head.header("Content-Length") == "\(get.body.count)")
        try expectNoBody("HEAD", path, daemon)
    }

    @Test("HEAD of the metrics announces the length of a GET")
    func headOfMetrics() throws {
        let daemon = try daemonWithMaps()
        try load(daemon)
        // A fresh scraper sees no deltas, as a HEAD does. Durations and the process' own figures differ by some digits.
        let get = try daemon.web("GET", "/metrics?scraper=fresh")
        let head = try daemon.web("HEAD", "/metrics")
        let announced = try #require(head.header("Content-Length").flatMap { Int($0) })
        #expect(abs(announced - get.body.count) < 200)
        #expect(head.header("Content-Type") == Self.contentType)
        try expectNoBody("HEAD", "/metrics", daemon)
    }

    /// After the head comes nothing but the end of the connection.
    private func expectNoBody(_ method: String, _ path: String, _ daemon: MapwatchProcess) throws {
        let connection = try HTTPConnection(port: daemon.metricsPort, timeoutSeconds: 60)
        try connection.sendRequest(method, path, headers: [("Connection", "close")])
        let answer = String(decoding: try connection.readToEnd(), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        #expect(answer.hasSuffix("\r\n\r\n"))
        #expect(answer.components(separatedBy: "\r\n\r\n").count == 2)
    }

    @Test("other paths are 404 and other methods 405 with Allow")
    func others() throws {
        let daemon = try MapwatchProcess()
        for path in ["/metric", "/metrics/", "/api/v1/maps", "/-/", "//metrics"] {
            #expect(try daemon.web("GET", path).status == 404, "\(path)")
        }
        for path in ["/metrics", "/", "/-/healthy", "/-/ready"] {
            for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
                let answer = try daemon.web(method, path)
                #expect(answer.status == 405, "\(method) \(path)")
                #expect(answer.header("Allow") == "GET, HEAD", "\(method) \(path)")
            }
        }
    }

    @Test("health is text, and the status page's links all lead somewhere")
    func pages() throws {
        let daemon = try MapwatchProcess()
        #expect(try daemon.web("GET", "/-/healthy").text == "mapwatch is healthy.\n")
        #expect(try daemon.web("GET", "/-/ready").text == "mapwatch is ready.\n")
        let page = try daemon.web("GET", "/")
        #expect(page.header("Content-Type") == "text/html; charset=utf-8")
        let links = page.text.components(separatedBy: "href=\"").dropFirst().map { String($0.prefix { $0 != "\"" }) }
        #expect(Set(links).isSuperset(of: ["/metrics", "/-/healthy", "/-/ready"]))
        for link in links { #expect(try daemon.web("GET", link).status == 200, "\(link)") }
    }

    @Test("--web.telemetry-path moves the metrics, and the status page's links with them")
    func telemetryPath() throws {
        let daemon = try MapwatchProcess(["--web.telemetry-path", "/my/figures"])
        #expect(try daemon.scrape("/my/figures").value("mapwatch_maps") == 0)
        #expect(try daemon.web("GET", "/metrics").status == 404)
        #expect(try daemon.web("GET", "/").text.contains("href=\"/my/figures\""))
        #expect(try daemon.child.waitForErrorLine("serving metrics").contains("/my/figures"))
    }

    @Test("each scraper gets the format that it asks for, with its Content-Type and what caches must know")
    func formats() throws {
        let daemon = try daemonWithMaps()
        let openMetrics = "application/openmetrics-text;version=1.0.0"
        for (accept, contentType) in [
            ("*/*", Self.contentType), ("nonsense", Self.contentType),
            ("text/plain;version=1.0.0;escaping=dots", "text/plain; version=1.0.0; charset=utf-8; escaping=dots"),
            (openMetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
            (
                "application/openmetrics-text;version=0.0.1",
                "application/openmetrics-text; version=0.0.1; charset=utf-8"
            ),
        ] {
            let answer = try daemon.web("GET", "/metrics", headers: [("Accept", accept)])
            #expect(answer.header("Content-Type") == contentType)
            #expect(answer.header("Vary") == "Accept, Accept-Encoding")
            #expect(answer.text.hasSuffix("\n# EOF\n") == contentType.contains("openmetrics"))
            #expect(answer.text.contains("\n# TYPE map_op counter\n") == contentType.contains("openmetrics"))
        }
    }

    @Test("debug shows a format as plain text, and an unknown one is a 400 that names it")
    func debug() throws {
        let daemon = try MapwatchProcess()
        for (word, ends) in [("text", false), ("openmetrics", true)] {
            let answer = try daemon.web("GET", "/metrics?debug=\(word)")
            #expect(answer.header("Content-Type") == "text/plain; charset=utf-8")
            #expect(answer.text.hasSuffix("# EOF\n") == ends)
        }
        let refused = try daemon.web("GET", "/metrics?debug=html")
        #expect(refused.status == 400)
        #expect(try Problem(refused).detail == "debug=html names no format; known are text and openmetrics")
    }

    @Test("name[] picks families by any name that one of their lines has")
    func names() throws {
        let daemon = try daemonWithMaps()
        let some = try daemon.scrape("/metrics?name[]=map_entries&name[]=map_op&name[]=nonsense")
        #expect(some.families.map(\.name) == ["map_entries", "map_op_total"])
        #expect(try daemon.web("GET", "/metrics?name[]=nonsense").body.isEmpty)
        #expect(try daemon.web("GET", "/metrics?name[]=nonsense&debug=openmetrics").text == "# EOF\n")
    }

    @Test("gzip goes to those who take it, and curl reads it")
    func gzip() throws {
        let curl = try MissingTool.path(of: "curl")
        let daemon = try daemonWithMaps()
        let url = "http://127.0.0.1:\(daemon.metricsPort)/metrics"
        let result = try ChildProcess.run(
            curl, ["--silent", "--show-error", "--compressed", "--dump-header", "-", url])
        let parts = result.output.components(separatedBy: "\r\n\r\n")
        #expect(parts[0].contains("Content-Encoding: gzip"))
        #expect(try CheckedExposition(Array(parts[1].utf8)).samples("map_info").count == 2)
        for accepted in ["gzip;q=0", "br", "identity"] {
            let answer = try daemon.web("GET", "/metrics", headers: [("Accept-Encoding", accepted)])
            #expect(answer.header("Content-Encoding") == nil)
            #expect(answer.text.hasPrefix("# HELP "))
        }
        // HEAD has the length of a GET with the same headers; the values differ by some digits, compressed too.
        let gzip = [("Accept-Encoding", "gzip")]
        let get = try daemon.web("GET", "/metrics?scraper=fresh", headers: gzip)
        let head = try daemon.web("HEAD", "/metrics", headers: gzip)
        #expect(head.header("Content-Encoding") == "gzip")
        let announced = try #require(head.header("Content-Length").flatMap { Int($0) })
        #expect(abs(announced - get.body.count) < 200)
        #expect(get.body.starts(with: [0x1f, 0x8b]))
    }
}
