import Glibc
import TestSupport
import Testing

@Suite("Replays by the program")
struct ReplayTests {
    private static let scenarios = [
        "payment-orders", "risk-rules", "ws-mass-disconnect", "task-leases", "batch-expiry", "session-revocation",
        "log-aggregation",
    ]

    @Test("the smallest replay finds the one conflict of the articles' three keys")
    func minimal() throws {
        let result = try MapwatchProcess.run(["replay", "minimal"])
        #expect(result.exit == .code(0))
        #expect(result.output.hasPrefix("minimal: three keys (the articles'), naive on checked, 1 shard\n"))
        #expect(ReplayTests.value("detections", in: result.output) == "1 (iterate_write 1)")
        #expect(ReplayTests.value("contents at the end", in: result.output) == "2 entries, digest a5d4a9b8c6c83037")
    }

    @Test("the seven in process come to the verdict of the articles")
    func all() throws {
        let result = try MapwatchProcess.run(["replay", "--all"])
        #expect(result.exit == .code(0))
        #expect(result.output.hasSuffix("\n7 accidents, 6 with the signature\n"))
    }

    @Test("the list names all seven, whose they are, and their fixes")
    func list() throws {
        let lines = try MapwatchProcess.run(["replay", "list"]).output.split(separator: "\n").map(String.init)
        #expect(lines.filter { !$0.hasPrefix(" ") } == ReplayTests.scenarios + ["minimal"])
        #expect(lines.count { $0.contains(" (the articles'): ") } == 5)
        #expect(lines.count { $0.contains(" (ours): ") } == 3)
        #expect(lines.count { $0.hasPrefix("  fix ") } == 8)
    }

    @Test(
        "what cannot be replayed is refused with what can be",
        arguments: [
            (["nope"], "scenario \"nope\" is unknown; known are payment-orders, risk-rules,"),
            (["minimal", "--strategy", "nope"], "strategy \"nope\" is unknown; known are sharded, "),
            (["minimal", "--compare", "nope"], "strategy \"nope\" is unknown; known are sharded, "),
            (["minimal", "--url", "http://127.0.0.1:1"], "minimal is played in this process; leave --url away"),
            ([], "name a scenario, or give --all"),
            (["--all", "minimal"], "leave \"minimal\" away"),
            (["--all", "--parallel"], "--parallel is for --url"),
            (["--all", "--pace", "2"], "--pace is for --url"),
        ])
    func refused(arguments: [String], reason: String) throws {
        let result = try MapwatchProcess.run(["replay"] + arguments)
        #expect(result.exit == .code(64))
        #expect(result.errors.contains(reason))
    }

    @Test(
        "a daemon that is not there is named",
        arguments: [
            ("http://127.0.0.1:1", "http://127.0.0.1:1: connection refused"),
            ("https://127.0.0.1:1", "is no address such as http://127.0.0.1:10198"),
        ])
    func absent(url: String, reason: String) throws {
        let result = try MapwatchProcess.run(["replay", "payment-orders", "--url", url])
        #expect(result.exit == .code(1))
        #expect(result.errors.contains(reason))
    }

    @Test("with one seed a map of a daemon ends as one in process does: entries, losses, operations")
    func remote() throws {
        let daemon = try MapwatchProcess()
        let arguments = ["replay", "session-revocation", "--seed", "7"]
        let here = try MapwatchProcess.run(arguments)
        let replay = try ChildProcess(
            MapwatchProcess.binary(),
            arguments + [
                "--pace", "1000", "--url", "http://127.0.0.1:\(daemon.dataPort)",
                "--metrics-url", "http://127.0.0.1:\(daemon.metricsPort)/metrics",
            ])
        // 25,000 requests one after the other: on a busy machine more than the minute that one event may take.
        for second in stride(from: 30, through: 210, by: 30) {
            _ = try replay.waitForErrorLine("1/1 session-revocation, naive: second \(second) of 240")
        }
        #expect(try replay.waitForExit() == .code(0))
        for row in ["lost reads and writes", "stale reads and entries", "contents at the end"] {
            let value = try #require(ReplayTests.value(row, in: replay.output))
            #expect(value == ReplayTests.value(row, in: here.output), "\(row)")
        }
        let attempted = [here.output, replay.output].map {
            ReplayTests.value("operations", in: $0)?.prefix { $0 != "," }
        }
        #expect(attempted[0] == attempted[1])
        // The daemon's own series tell what was done to it.
        let deleted = try daemon.scrape().sum("map_op_delete_total", ["map_name": "replay-session-revocation"])
        #expect(try #require(deleted) > 4000)
        #expect(try daemon.terminate(SIGTERM) == .code(0))
    }

    /// What stands behind a row's name in a report.
    private static func value(_ row: String, in report: String) -> String? {
        report.split(separator: "\n").first { $0.hasPrefix("  \(row) ") }
            .map { $0.dropFirst(2 + row.count).split(separator: " ").joined(separator: " ") }
    }
}
