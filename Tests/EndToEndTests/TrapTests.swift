import FlightRecorder
import Foundation
import Glibc
import TestSupport
import Testing

/// Policy `trap` on a real daemon: two callers meet, it dies as Go would, and the next start tells of both.
@Suite("A map with policy trap")
struct TrapTests {
    private static let key = "order-1"
    private static let callers = ["checkout", "refund"]

    private struct Line: Decodable {
        let map: String
        let shard: Int
        let operation: String
        let outcome: String
        let keyHash: String
        let caller: String

        enum CodingKeys: String, CodingKey {
            case map, shard, operation, outcome, caller
            case keyHash = "key_hash"
        }
    }

    @Test("two callers in one shard end the process, which names both, and the next start keeps what they did")
    func endsAndIsRemembered() throws {
        let storage = try TemporaryFolder()
        let arguments = ["--storage.path", storage.path]
        let daemon = try Chaos.start(arguments, options: #"{"strategy":"checked","policy":"trap","shards":4}"#)
        for number in 0..<64 {
            #expect(try daemon.data("PUT", entry("orders", "before-\(number)"), body: "v").status == 201)
        }
        try Self.delayOperations(daemon)
        Self.overlap(daemon)
        #expect(try daemon.child.waitForExit() == .signal(SIGABRT))

        let last = daemon.child.errorLines.suffix(4)
        let shard = try Self.check(last)

        let next = try MapwatchProcess(arguments)
        _ = try next.child.waitForErrorLine("the previous run did not end in order")
        let incident = try #require(try ListedIncident.all(of: next).first { $0.kind == "previous_run" })
        let recording = try next.web("GET", "/api/v1/incidents/\(incident.id)/recorder.jsonl").text
        let lines = try recording.split(separator: "\n")
            .map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
            .filter { $0.map == "orders" && $0.shard == shard }
        #expect(lines.count >= 10, "\(recording)")
        let parties = lines.suffix(2)
        #expect(Set(parties.map(\.caller)) == Set(Self.callers), "\(recording)")
        #expect(parties.allSatisfy { $0.outcome == "conflict" && ["insert", "update"].contains($0.operation) })
        let hash = TraceText.hexadecimal(FoundRecording.keyHash(Self.key))
        #expect(parties.allSatisfy { $0.keyHash == hash })
    }

    /// Every operation stays inside its shard for ten milliseconds.
    private static func delayOperations(_ daemon: MapwatchProcess) throws {
        let answer = try Chaos.send(
            daemon, "PUT", body: #"{"kind":"delay","microseconds":10000,"seconds":600}"#)
        #expect(answer.status == 201, "\(answer.text)")
    }

    /// Two callers who put the same key over and over until there is nobody to answer. On a connection for each request: a
    /// new one is taken by whichever of the daemon's two threads is free, so they do not follow one another on one thread.
    private static func overlap(_ daemon: MapwatchProcess) {
        ThreadGroup.run(2) { number in
            let headers = [("X-Mapwatch-Caller", callers[number])]
            while let connection = try? daemon.connectToData() {
                defer { connection.close() }
                let answer = try? connection.request("PUT", entry("orders", key), headers: headers, body: [0x76])
                if answer == nil { return }
            }
        }
    }

    /// Go's words, the place and both parties; returns the shard.
    private static func check(_ lines: ArraySlice<String>) throws -> Int {
        let lines = Array(lines)
        try #require(lines.count == 4)
        #expect(lines[0] == "fatal error: concurrent map writes")
        let place = "map \"orders\", shard "
        #expect(lines[1].hasPrefix(place))
        #expect(lines[2].hasPrefix("found by caller \"") && lines[3].hasPrefix("holder   caller \""))
        for caller in callers { #expect(lines[2...3].count { $0.contains("\"\(caller)\"") } == 1) }
        return try #require(Int(lines[1].dropFirst(place.count)))
    }
}
