import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The process")
struct ProcessTests {
    @Test("SIGTERM and SIGINT drain both listeners and exit 0", arguments: [SIGTERM, SIGINT])
    func drain(signal: Int32) throws {
        let daemon = try MapwatchProcess()
        #expect(try daemon.data("PUT", "/api/v1/maps/orders").status == 201)
        // A connection that is open and idle holds nothing up.
        let idle = try daemon.connectToData()
        #expect(try idle.request("GET", "/api/v1/maps").status == 200)
        #expect(try daemon.terminate(signal) == .code(0))
        let log = daemon.child.errorLines
        for listener in ["data", "metrics"] {
            #expect(log.contains { $0.contains("msg=drained") && $0.contains("listener=\(listener)") })
        }
        #expect(log.last?.contains("msg=ended") == true)
        #expect(log.allSatisfy { $0.hasPrefix("time=") })
        #expect(daemon.child.output == "")
        #expect(try idle.readToEnd().isEmpty)
        #expect(throws: HTTPClientError.system("connect", ECONNREFUSED)) { try daemon.data("GET", "/api/v1/maps") }
    }

    @Test("a signal that comes as soon as the addresses are logged ends in order too")
    func earlySignal() throws {
        let exits = try inParallel(4) { _ in
            try (0..<5).map { _ in try MapwatchProcess().terminate(SIGTERM) }
        }
        #expect(exits.flatMap(\.self) == Array(repeating: .code(0), count: 20))
    }

    @Test("a request that is in flight at SIGTERM is still answered")
    func inFlight() throws {
        let daemon = try MapwatchProcess()
        #expect(try daemon.data("PUT", "/api/v1/maps/orders").status == 201)
        let connection = try daemon.connectToData()
        try connection.sendRequest(
            "PUT", entry("orders", "k"), headers: [("Expect", "100-continue"), ("Content-Length", "5")])
        #expect(try connection.readInterimStatus() == 100)
        daemon.child.signal(SIGTERM)
        // Its listening socket refuses as soon as the drain has begun.
        try pollUntil("the data listener to refuse connections") {
            do throws(HTTPClientError) {
                try HTTPConnection(port: daemon.dataPort).close()
                return false
            } catch {
                return error == .system("connect", ECONNREFUSED)
            }
        }
        try connection.send("value")
        #expect(try connection.readResponse(to: "PUT").status == 201)
        #expect(try daemon.child.waitForExit() == .code(0))
    }

    @Test("a port that is taken, on either listener, is named with the errno and exits 1")
    func portTaken() throws {
        let daemon = try MapwatchProcess()
        for (flag, other) in [
            ("--web.listen-address", "--data.listen-address"), ("--data.listen-address", "--web.listen-address"),
        ] {
            let address = "127.0.0.1:\(daemon.metricsPort)"
            let result = try MapwatchProcess.run(["serve", flag, address, other, "127.0.0.1:0"])
            #expect(result.exit == .code(1))
            #expect(result.errors.contains("cannot listen on \(address): address already in use (errno 98)"))
            #expect(!result.errors.contains("serving"))
        }
    }

    @Test("an address that is none is named and exits 1")
    func badAddress() throws {
        let result = try MapwatchProcess.run(["serve", "--web.listen-address", "nowhere:http"])
        #expect(result.exit == .code(1))
        #expect(result.errors.contains("invalid listen address \\\"nowhere:http\\\""))
    }

    @Test("several addresses serve the same, on both listeners")
    func severalAddresses() throws {
        let daemon = try MapwatchProcess(metricsListeners: 2, dataListeners: 2)
        #expect(Set(daemon.metricsPorts + daemon.dataPorts).count == 4)
        for port in daemon.dataPorts {
            #expect(try HTTPClient.request("PUT", "/api/v1/maps/orders", port: port).status < 300)
        }
        for listener in 0..<2 {
            let answer = try daemon.web("GET", "/metrics?scraper=\(listener)", listener: listener)
            #expect(try CheckedExposition(answer.body).value("mapwatch_maps") == 1)
        }
        #expect(try daemon.terminate(SIGTERM) == .code(0))
    }

    @Test("--log.format json prints one JSON object a line")
    func jsonLog() throws {
        struct Line: Decodable {
            let time: String
            let level: String
            let msg: String
            let url: String?
            let listener: String?
        }
        let daemon = try MapwatchProcess(["--log.format", "json", "--log.level", "debug"])
        #expect(try daemon.web("GET", "/metrics").status == 200)
        #expect(try daemon.terminate(SIGTERM) == .code(0))
        let lines = try daemon.child.errorLines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        #expect(lines.first { $0.msg == "serving metrics" }?.url == "http://127.0.0.1:\(daemon.metricsPort)/metrics")
        #expect(lines.contains { $0.msg == "request" && $0.level == "debug" && $0.listener == "metrics" })
        #expect(lines.last?.msg == "ended")
        #expect(lines.allSatisfy { $0.time.hasSuffix("Z") && $0.time.utf8.count == 24 })
    }

    @Test("--log.level keeps lower levels silent")
    func logLevel() throws {
        let taken = try MapwatchProcess()
        let result = try MapwatchProcess.run([
            "--log.level", "critical", "--web.listen-address", "127.0.0.1:\(taken.metricsPort)",
        ])
        #expect(result.exit == .code(1))
        #expect(result.errors == "")
    }

    @Test("--version and --help exit 0, and the help of serve names every flag")
    func help() throws {
        let version = try MapwatchProcess.run(["--version"])
        #expect(version.exit == .code(0))
        #expect(version.output.split(separator: ".").count == 3)
        let overview = try MapwatchProcess.run(["--help"])
        #expect(overview.exit == .code(0))
        for command in ["serve", "check-config"] { #expect(overview.output.contains(command)) }

        let source = try String(
            contentsOfFile: packageFile("Sources/mapwatch/Commands/ServeCommand.swift"), encoding: .utf8)
        let flags = source.components(separatedBy: ".customLong(\"").dropFirst().map { $0.prefix { $0 != "\"" } }
        #expect(flags.count >= 7)
        let help = try MapwatchProcess.run(["serve", "--help"])
        #expect(help.exit == .code(0))
        // A flag that can be taken back is shown as `--flag/--no-flag`.
        for flag in flags {
            let isNamed = [" ", "/"].contains { help.output.contains("\n  --\(flag)\($0)") }
            #expect(isNamed, "\(flag)")
        }
    }

    @Test("the build info names the version that --version prints")
    func buildInfo() throws {
        let version = try MapwatchProcess.run(["--version"]).output.trimmingCharacters(in: .whitespacesAndNewlines)
        let scrape = try MapwatchProcess().scrape()
        #expect(scrape.samples("mapwatch_build_info", ["version": version]).map(\.value) == [1.0])
    }

    @Test("an unknown flag is named and nothing is served")
    func unknownFlag() throws {
        let result = try MapwatchProcess.run(["serve", "--bogus"])
        #expect(result.exit == .code(64))
        #expect(result.errors.contains("--bogus"))
    }

    @Test("SWIFT_DETERMINISTIC_HASHING refuses to start")
    func deterministicHashing() throws {
        let result = try MapwatchProcess.run(
            ["--web.listen-address", "127.0.0.1:0", "--data.listen-address", "127.0.0.1:0"],
            environment: ["SWIFT_DETERMINISTIC_HASHING": "1"])
        #expect(result.exit == .code(1))
        #expect(result.errors.contains("SWIFT_DETERMINISTIC_HASHING is set"))
        #expect(!result.errors.contains("serving"))
    }

    @Test("--demo creates its maps, the first accident's among them, and their counters move")
    func demo() throws {
        let daemon = try MapwatchProcess(["--demo"])
        // What befalls these comes later in the rotation.
        let idle: Set = ["prices", "thumbnails"]
        let maps = ["ledger", "payment-orders", "prices", "products", "rules", "sessions", "thumbnails"]
        try pollUntil("the map of the first accident") {
            try daemon.scrape().samples("map_info").compactMap { $0.labels["map_name"] }.count == maps.count
        }
        let first = try daemon.scrape()
        #expect(first.samples("map_info").compactMap { $0.labels["map_name"] } == maps)
        for map in maps {
            for family in ["map_op_total", "map_op_load_total", "map_op_load_miss_total"]
            where ["rules", "sessions"].contains(map) {
                try waitForGrowth(of: family, map, beyond: first, daemon)
            }
            if !idle.contains(map) { try waitForGrowth(of: "map_op_total", map, beyond: first, daemon) }
        }
        try waitForGrowth(of: "map_op_delete_total", "sessions", beyond: first, daemon)
        #expect(try daemon.terminate(SIGTERM) == .code(0))
    }

    private func waitForGrowth(
        of family: String, _ map: String, beyond first: CheckedExposition, _ daemon: MapwatchProcess
    ) throws {
        let start = try #require(first.sum(family, ["map_name": map]))
        try pollUntil("\(family) of \(map) to grow beyond \(start)") {
            try daemon.scrape().sum(family, ["map_name": map]) ?? 0 > start
        }
    }
}
