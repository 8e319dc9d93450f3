// mapwatch under a real Prometheus for a hundred seconds:
//
//     SteadyLoad ──batches──▶ mapwatch ◀──1 s scrapes── prometheus (Debian's, the shipped configuration)
//                                                            ▲ the articles' PromQL, to the letter
//
// The run collects everything first and judges after, so that a single run tells all that is wrong.

import Foundation
import Glibc
import TestSupport
import Testing

/// What a run of some hundred seconds has found.
private struct Findings: Sendable {
    var problem: String?
    var ledger = OperationLedger()
    var targetErrors: [String] = []
    var complaints: [String] = []
    var scrapes = 0.0
    var scrapesIn90Seconds: Double?
    var lowestUp: Double?
    var fewestSamples: Double?
    var mostSamples: Double?
    /// Series in a scrape of our own.
    var ownSamples = 0
    /// By shard.
    var deleteShare: [String: Double] = [:]
    var mutation: [String: Double] = [:]
    var mutationAboveLine: [String: Double] = [:]
    var meanDeleteShare: Double?
    var meanMutation: Double?
    /// What the shipped rules have recorded, and what the daemon says itself.
    var recordedDeleteShare: Double?
    var ownDeleteShare: Double?
    var expectedMutation = 0.0
    /// The smallest growth over 60 s, as the driver knows it.
    var slowestGrowth = 0.0
    /// What Prometheus has stored last, by family, beside the ledger.
    var finalCounters: [String: Double] = [:]
}

@Suite("A real Prometheus")
struct PrometheusTests {
    /// The lines from the articles, as they stand there.
    private static let deleteShare = "rate(map_op_delete_total[1m]) / rate(map_op_total[1m])"
    private static let mutation = "delta(mem_map_size_bytes[30s]) / mem_map_size_bytes offset 60s"
    /// Scrapes to wait for: 60 s of offset and 30 s of window, and some to spare.
    private static let wantedScrapes = 96.0

    @Test("promtool check config passes the shipped prometheus.yml")
    func shippedConfiguration() throws {
        let result = try ChildProcess.run(
            MissingTool.path(of: "promtool"), ["check", "config", packageFile("prometheus.yml")])
        #expect(result.exit == .code(0), "\(result.output)\(result.errors)")
    }

    @Test(
        "a hundred seconds of scrapes lose nothing, and the articles' PromQL sees each shard as the driver does",
        .timeLimit(.minutes(4)))
    func hundredSeconds() async throws {
        let found = try await onOwnThread { try Self.observe() }
        #expect(found.problem == nil)
        #expect(found.targetErrors == [])
        #expect(found.complaints == [])
        #expect(found.scrapes >= 90)
        // The window's ends may each cost one.
        #expect(found.scrapesIn90Seconds ?? 0 >= 88)
        #expect(found.lowestUp == 1)
        #expect(found.fewestSamples == found.mostSamples)
        #expect(found.fewestSamples == Double(found.ownSamples))
        #expect(found.slowestGrowth >= 1.5)

        let shards = Set((0..<16).map { $0 < 10 ? "0\($0)" : "\($0)" })
        #expect(Set(found.deleteShare.keys) == shards)
        for (shard, share) in found.deleteShare {
            #expect(abs(share - SteadyLoad.deleteShare) < 0.05, "shard \(shard)")
        }
        let share = try #require(found.meanDeleteShare)
        #expect(abs(share / SteadyLoad.deleteShare - 1) < 0.05)

        #expect(Set(found.mutation.keys) == shards)
        for (shard, mutation) in found.mutation {
            #expect(mutation > 0.3 * found.expectedMutation, "shard \(shard)")
            #expect(mutation < 3 * found.expectedMutation, "shard \(shard)")
        }
        #expect(abs(try #require(found.recordedDeleteShare) / SteadyLoad.deleteShare - 1) < 0.05)
        #expect(abs(try #require(found.ownDeleteShare) / SteadyLoad.deleteShare - 1) < 0.05)
        let mutation = try #require(found.meanMutation)
        #expect(abs(mutation / found.expectedMutation - 1) < 0.1)
        #expect(!found.mutationAboveLine.isEmpty)
        #expect(Set(found.mutationAboveLine.keys).isSubset(of: shards))
        for (name, value) in found.ledger.series { #expect(found.finalCounters[name] == Double(value), "\(name)") }
    }

    private static func observe() throws -> Findings {
        let daemon = try MapwatchProcess()
        _ = try daemon.data("PUT", "/api/v1/maps/orders", body: "{\"shards\":16}")
        // What Prometheus is to find is there before its first scrape: the cursor of its deltas (by the name in the shipped
        // configuration) and each request label that will ever be counted.
        for _ in 0..<2 { _ = try daemon.scrape("/metrics?scraper=prometheus") }
        _ = try daemon.data("POST", "/api/v1/maps/orders/batch")
        let prometheus = try PrometheusServer(configuration: configuration(for: daemon))
        let load = SteadyLoad(daemon: daemon, map: "orders")
        print("Prometheus: scraping once a second, until there are \(Int(wantedScrapes)) scrapes")
        var found = Findings()
        do {
            found.scrapes = try waitForScrapes(prometheus)
            try evaluate(prometheus, load, into: &found)
        } catch {
            found.problem = "\(error)"
        }
        let (ledger, problem) = load.stop()
        found.ledger = ledger
        found.problem = found.problem ?? problem
        try compareLastScrape(prometheus, daemon, into: &found)
        print("Prometheus: delete share \(found.meanDeleteShare ?? .nan), the driver's \(SteadyLoad.deleteShare)")
        print("Prometheus: mutation \(found.meanMutation ?? .nan), the driver's \(found.expectedMutation)")
        return found
    }

    /// The shipped configuration with another target and a scrape each second.
    private static func configuration(for daemon: MapwatchProcess) throws -> String {
        var text = try String(contentsOfFile: packageFile("prometheus.yml"), encoding: .utf8)
        for (old, new) in [
            ("127.0.0.1:10197", "127.0.0.1:\(daemon.metricsPort)"), ("_interval: 15s", "_interval: 1s"),
            ("- prometheus.rules.yml", "- \(packageFile("prometheus.rules.yml"))"),
        ] {
            guard text.contains(old) else {
                throw ChildProblem(description: "prometheus.yml no longer holds \"\(old)\"")
            }
            text = text.replacingOccurrences(of: old, with: new)
        }
        return text
    }

    /// Waits until enough scrapes are stored, and gives their number.
    private static func waitForScrapes(_ prometheus: PrometheusServer) throws -> Double {
        var printed = 0.0
        return try pollUntilAnswered("\(Int(wantedScrapes)) scrapes", seconds: 180) {
            let count = try prometheus.value("count_over_time(up{job=\"mapwatch\"}[5m])") ?? 0
            if count >= printed + 10 {
                printed = count
                let entries = try prometheus.value("sum(map_entries)") ?? 0
                print("Prometheus: \(Int(count)) scrapes, \(Int(entries)) entries")
            }
            return count >= wantedScrapes ? count : nil
        }
    }

    private static func evaluate(
        _ prometheus: PrometheusServer, _ load: SteadyLoad, into found: inout Findings
    ) throws {
        let now = Date().timeIntervalSince1970
        func byShard(_ expression: String) throws -> [String: Double] {
            try prometheus.query(expression, at: now).reduce(into: [:]) { rows, row in
                rows["\(row.metric["shard_id"] ?? "none")", default: 0] += row.value
            }
        }
        found.lowestUp = try prometheus.value("min_over_time(up{job=\"mapwatch\"}[5m])", at: now)
        found.scrapesIn90Seconds = try prometheus.value("count_over_time(up{job=\"mapwatch\"}[90s])", at: now)
        found.fewestSamples = try prometheus.value("min_over_time(scrape_samples_scraped[5m])", at: now)
        found.mostSamples = try prometheus.value("max_over_time(scrape_samples_scraped[5m])", at: now)
        found.deleteShare = try byShard(deleteShare)
        found.mutation = try byShard(mutation)
        found.mutationAboveLine = try byShard("\(mutation) > 0.15")
        found.meanDeleteShare = try prometheus.value(
            "sum(rate(map_op_delete_total[1m])) / sum(rate(map_op_total[1m]))", at: now)
        found.recordedDeleteShare = try prometheus.value("map:delete_ratio:increase1m{map_name=\"orders\"}", at: now)
        found.ownDeleteShare = try prometheus.value("map_delete_ratio{map_name=\"orders\"}", at: now)
        found.meanMutation = try prometheus.value(
            "sum(delta(mem_map_size_bytes[30s])) / sum(mem_map_size_bytes offset 60s)", at: now)
        // All entries but the first few are of one size, so bytes and entries grow alike.
        found.expectedMutation =
            (load.entries(at: now) - load.entries(at: now - 30)) / load.entries(at: now - 60)
        let history = load.history
        let grown = history.filter { $0.time >= (history.first?.time ?? 0) + 60 }.map { moment in
            Double(moment.entries) / max(load.entries(at: moment.time - 60), 1)
        }
        found.slowestGrowth = grown.min() ?? 0
    }

    /// Waits for the scrape after the load's end, which must hold the ledger's figures.
    private static func compareLastScrape(
        _ prometheus: PrometheusServer, _ daemon: MapwatchProcess, into found: inout Findings
    ) throws {
        let last = Date().timeIntervalSince1970
        try pollUntil("a scrape after the load's end") {
            try prometheus.value("timestamp(up{job=\"mapwatch\"})") ?? 0 > last
        }
        for (name, _) in found.ledger.series {
            found.finalCounters[name] = try prometheus.value("sum(\(name){map_name=\"orders\"})")
        }
        found.targetErrors = try prometheus.targets().map { "\($0.health) \($0.lastError)" }.filter { $0 != "up " }
        found.complaints = prometheus.complaints
        // A scraper of its own, so that this scrape has deltas as those of Prometheus do.
        _ = try daemon.scrape("/metrics?scraper=test")
        found.ownSamples = try daemon.scrape("/metrics?scraper=test").families.reduce(0) { $0 + $1.samples.count }
    }
}
