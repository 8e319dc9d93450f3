// Two Prometheus of the machine beside one daemon, of which one takes native histograms by protobuf and the other the classic
// ones by OpenMetrics. Both must see what the daemon's own text says.

import Foundation
import TestSupport
import Testing

@Suite("A Prometheus with native histograms")
struct NativeHistogramTests {
    private static let accept =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
    private static let contentType =
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

    @Test("protobuf has its Content-Type, gzip, HEAD's length and name[], and no reader of text gets it")
    func headers() throws {
        let daemon = try MapwatchProcess()
        _ = try daemon.data("PUT", "/api/v1/maps/orders")
        let accept = [("Accept", Self.accept)]
        let whole = try daemon.web("GET", "/metrics?scraper=a", headers: accept)
        #expect(whole.status == 200)
        #expect(whole.header("Content-Type") == Self.contentType)
        #expect(whole.header("Vary") == "Accept, Accept-Encoding")
        #expect(whole.text.contains("map_op_duration_seconds"))
        let one = "/metrics?name[]=map_resize_total"
        let part = try daemon.web("GET", one, headers: accept)
        #expect(part.text.contains("map_resize_total"))
        #expect(!part.text.contains("map_op_total"))
        let head = try daemon.web("HEAD", one, headers: accept)
        #expect(head.header("Content-Length") == "\(part.body.count)")
        #expect(head.body.isEmpty)
        let zipped = try daemon.web("GET", one, headers: accept + [("Accept-Encoding", "gzip")])
        #expect(zipped.header("Content-Encoding") == "gzip")
        #expect(zipped.body.starts(with: [0x1f, 0x8b]))
        #expect(try daemon.web("GET", "/metrics").header("Content-Type")?.hasPrefix("text/plain") == true)
    }

    /// Writes beside deletes that look through a large shard under its lock, until somebody had to wait a few times.
    private func contend(_ daemon: MapwatchProcess) throws {
        _ = try daemon.data("PUT", "/api/v1/maps/hot", body: "{\"shards\":1}")
        let connection = try daemon.connectToData()
        for first in stride(from: 0, to: 100_000, by: 5_000) {
            let operations = (first..<first + 5_000).map {
                MapOperation.put(key: Array("key \($0)".utf8), value: [0x76])
            }
            _ = try BatchCoder().send(operations, to: "hot", over: connection)
        }
        let done = Flag()
        let group = ThreadGroup()
        for _ in 0..<2 {
            group.start {
                while !done.isRaised {
                    _ = try? daemon.data("POST", "/api/v1/maps/hot/delete", body: "{\"prefix\":\"none\"}")
                }
            }
            group.start {
                while !done.isRaised { _ = try? daemon.data("PUT", entry("hot", "another"), body: "v") }
            }
        }
        defer {
            done.raise()
            group.join()
        }
        try pollUntil("waits for the lock of one shard") {
            try daemon.scrape().value("map_lock_wait_seconds_count", ["map_name": "hot"]) ?? 0 > 20
        }
    }

    private func prometheus(_ daemon: MapwatchProcess, features: String, scraper: String) throws -> PrometheusServer {
        try PrometheusServer(
            configuration: """
                global: {scrape_interval: 1s}
                scrape_configs:
                  - job_name: mapwatch
                    params: {scraper: [\(scraper)]}
                    static_configs: [{targets: ["127.0.0.1:\(daemon.metricsPort)"]}]
                """, features: features)
    }

    @Test("it stores the two histograms as native ones, with the count, the sum and the quantiles of the classic ones")
    func ingests() throws {
        let daemon = try MapwatchProcess()
        try contend(daemon)
        let native = try prometheus(daemon, features: "native-histograms,exemplar-storage", scraper: "native")
        let classic = try prometheus(daemon, features: "exemplar-storage", scraper: "classic")
        let text = try daemon.scrape()
        for (name, labels) in [
            ("map_op_duration_seconds", ["map_name": "hot", "op": "store"]),
            ("map_lock_wait_seconds", ["map_name": "hot"]),
        ] {
            let selector = name + "{" + labels.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",") + "}"
            let count = try #require(text.value(name + "_count", labels))
            let sum = try #require(text.value(name + "_sum", labels))
            #expect(count > 0)
            try pollUntil("a native histogram \(name)") { try native.value("histogram_count(\(selector))") != nil }
            try pollUntil("classic buckets of \(name)") {
                try classic.value("\(name)_count" + selector.dropFirst(name.count)) != nil
            }
            #expect(try native.value("histogram_count(\(selector))") == count)
            #expect(try native.value("histogram_sum(\(selector))") == sum)
            #expect(try native.query("\(name)_bucket").isEmpty)
            for quantile in [0.5, 0.9, 0.99] {
                let fine = try #require(try native.value("histogram_quantile(\(quantile), \(selector))"))
                // The classic bucket that holds the quantile, by the counts in the daemon's text.
                let buckets = text.samples(name + "_bucket", labels).map {
                    (bound: Double($0.labels["le"].map { $0 == "+Inf" ? "inf" : $0 } ?? "") ?? .nan, count: $0.value)
                }
                let index = try #require(buckets.firstIndex { $0.count >= quantile * count })
                let lower = index == 0 ? 0 : buckets[index - 1].bound
                // An exponential bucket that a classic bound cuts through reaches a twelfth beyond it.
                #expect(fine >= lower / 1.1 && fine <= buckets[index].bound * 1.1, "\(name) \(quantile): \(fine)")
                let coarse = try classic.value(
                    "histogram_quantile(\(quantile), \(name)_bucket\(selector.dropFirst(name.count)))")
                print("\(name) quantile \(quantile): native \(fine), classic \(coarse ?? .nan)")
            }
        }
        for server in [native, classic] {
            let exemplars = try pollUntilAnswered("exemplars") {
                let found = try server.exemplars(
                    server === native ? "map_lock_wait_seconds" : "map_lock_wait_seconds_bucket")
                return found.isEmpty ? nil : found
            }
            #expect(exemplars.allSatisfy { $0.labels == ["shard_id": "0"] && Double($0.value) ?? 0 > 0 })
            #expect(try server.targets().map(\.lastError) == [""])
        }
        print("complaints of the two:", native.complaints, classic.complaints)
        #expect(classic.complaints == [])
    }
}
