import FlightRecorder
import Foundation
import InstrumentedMaps
import Testing

@testable import Incidents

@Suite("Incidents from cause to bundle")
struct IncidentReporterTests {
    private let conflict = IncidentConflict(
        kind: "read_write", shard: 3,
        found: .init(
            caller: "billing", thread: 71, operation: "load", keyHash: 0xaf63_dc4c_8601_ec8c,
            sinceNanoseconds: 1_000_000_000_000),
        holder: .init(
            caller: "cleaner", thread: 72, operation: "delete", keyHash: 0xcbf2_9ce4_8422_2325,
            sinceNanoseconds: 999_000_000_000))

    @Test("a signature becomes one bundle, with the 120 s before it at their true seconds")
    func signature() throws {
        let workshop = try Workshop()
        var map = try CountedMap("orders")
        map.write(inserts: 2500)
        for _ in 0..<130 { workshop.sample([try map.glance()]) }
        #expect(workshop.wakes == 0)
        // A third of the entries go within 15 s, and more than 42 % of the writes are deletes.
        for _ in 0..<20 {
            map.write(updates: 10, deletes: 60)
            workshop.sample([try map.glance()])
        }
        #expect(workshop.wakes == 1)
        let shown = workshop.now
        workshop.reporter.drain()
        let id = try #require(workshop.archive.listed.first).summary.id
        #expect(workshop.names() == [id.text])
        #expect(workshop.reporter.count(map.name, incarnation: 1, .signature) == 1)
        let json =
            try JSONSerialization.jsonObject(with: Data(workshop.file(id, .document).utf8)) as? [String: Any] ?? [:]
        #expect(json["kind"] as? String == "signature")
        #expect(json["samples"] as? Int == 120)
        let instant = try #require(json["timestamp_seconds"] as? Double)
        #expect(instant <= Double(shown) / 1e9 + Workshop.wallAhead)
        #expect(instant.truncatingRemainder(dividingBy: 1) == 0)
        #expect((json["indicators"] as? [String: Any])?["signature"] as? Bool == true)
        #expect(((json["cycles"] as? [[String: Any]]) ?? []).count == 11)
        // The delete share that the file shows at the second of the incident is past the line.
        let samples = try workshop.file(id, .samples).split(separator: "\n")
        let shares = samples.filter { $0.hasPrefix("map_delete_ratio{") }
        #expect(shares.count == 120)
        #expect(samples.filter { $0.hasPrefix("map_op_delete_total{map_name=\"orders\",shard_id=\"3\"}") }.count == 120)
        #expect(samples.last == "# EOF")
        let then = try #require(shares.first { $0.hasSuffix(" \(Int(instant))") })
        #expect(try #require(Double(then.split(separator: " ")[1])) > 0.42)
        // Seconds later the counters have gone on by what was written, shard by shard.
        let deletes = samples.filter { $0.hasPrefix("map_op_delete_total{map_name=\"orders\",shard_id=\"0\"}") }
            .compactMap { Int($0.split(separator: " ")[1]) }
        #expect(deletes.last == 1200)
        #expect(deletes.contains(60) && deletes.contains(600))
        #expect(try workshop.file(id, .guide).contains("promtool tsdb create-blocks-from openmetrics samples.om data"))
    }

    @Test("the document shows how the map looks for conflicts and guards its iterators")
    func options() throws {
        let workshop = try Workshop()
        let name = try MapName("orders")
        let options = try MapOptions(
            strategy: .checked, shards: 1, policy: .count, checksReads: false, deletionGuard: .deny)
        workshop.sample([
            MapGlance(
                MapSnapshot(incarnation: 1, name: name, options: options, createdAt: 0, shards: [ShardSample()]))
        ])
        let summary = try workshop.reporter.record(note: "", on: name, incarnation: 1)
        let document = try workshop.file(summary.id, .document)
        let json = try JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: Any] ?? [:]
        let shown = json["options"] as? [String: Any] ?? [:]
        #expect(shown["policy"] as? String == "count")
        #expect(shown["check_reads"] as? Bool == false)
        #expect(shown["guard"] as? String == "deny")
    }

    @Test("a map of many shards has its sums alone, as a map that /metrics shows as one row")
    func manyShards() throws {
        let workshop = try Workshop()
        var map = try CountedMap("orders", shards: 65)
        for _ in 0..<5 {
            map.write(inserts: 1)
            workshop.sample([try map.glance()])
        }
        let summary = try workshop.reporter.record(note: "", on: map.name, incarnation: 1)
        let samples = try workshop.file(summary.id, .samples)
        #expect(!samples.contains("shard_id=\"0"))
        #expect(samples.contains("map_entries{map_name=\"orders\",shard_id=\"all\"} 325 "))
    }

    @Test("a conflict names both parties, and the last operations stand beside it")
    func conflictBundle() throws {
        let operation = RecordedOperation(
            timeNanosecondsSince1970: 1_800_000_999_000_000_000, caller: "cleaner", thread: 72, map: "orders", shard: 3,
            number: 9, operation: .delete, keyHash: 0xcbf2_9ce4_8422_2325, durationNanoseconds: 0, outcome: .hit)
        let workshop = try Workshop { _ in [operation] }
        let map = try CountedMap("orders")
        workshop.sample([try map.glance()])
        workshop.reporter.report(.conflict(conflict), on: map.name, incarnation: 1)
        #expect(workshop.names().isEmpty)
        workshop.reporter.drain()
        let id = try #require(workshop.archive.listed.first).summary.id
        let document = try workshop.file(id, .document)
        for part in ["read_write", "billing", "cleaner", "af63dc4c8601ec8c", "cbf29ce484222325", "\"shard\": 3"] {
            #expect(document.contains(part))
        }
        #expect(try workshop.file(id, .operations) == TraceText.json(operation) + "\n")
        let guide = try workshop.file(id, .guide)
        #expect(guide.contains("billing") && guide.contains("cleaner"))
    }

    @Test("an idle map's trace says that there is none, as the articles do")
    func idle() throws {
        let workshop = try Workshop { _ in [] }
        let map = try CountedMap("orders")
        workshop.sample([try map.glance()])
        let summary = try workshop.reporter.record(note: "", on: map.name, incarnation: 1)
        #expect(try workshop.file(summary.id, .guide).contains(TraceText.noTrace))
        #expect(TraceText.noTrace.contains("无map异常轨迹"))
    }

    @Test("a run that did not end in order is one incident at its last operation, counted for each of its maps")
    func previousRun() throws {
        let operation = RecordedOperation(
            timeNanosecondsSince1970: 1_700_000_000_250_000_000, caller: "71", thread: 71, map: "orders", shard: 0,
            number: 1, operation: .update, keyHash: 1, durationNanoseconds: 0, outcome: .hit)
        let run = PreviousRun(
            startedAt: 1_699_999_000_000_000_000, lastOperationAt: 1_700_000_000_250_000_000,
            operations: ["orders": [operation], "rules": []])
        let workshop = try Workshop()
        workshop.reporter.report(run)
        workshop.reporter.drain()
        let summary = try #require(workshop.archive.listed.first).summary
        #expect(summary.kind == .previousRun && summary.map == nil)
        #expect(summary.time == "2023-11-14T22:13:20.250Z")
        #expect(try workshop.file(summary.id, .operations) == TraceText.json(operation) + "\n")
        #expect(try workshop.file(summary.id, .guide).contains(TraceText.noTrace))
        for name in ["orders", "rules"] {
            #expect(workshop.reporter.count(try MapName(name), incarnation: 5, .previousRun) == 1)
        }
        #expect(!FileManager.default.fileExists(atPath: "\(workshop.folder)/incidents/\(summary.id)/samples.om"))
    }

    @Test("one bundle a map and minute; who asks for more is told when")
    func pace() throws {
        let workshop = try Workshop()
        let map = try CountedMap("orders")
        workshop.sample([try map.glance()])
        _ = try workshop.reporter.record(note: "first", on: map.name, incarnation: 1)
        workshop.pass(seconds: 50)
        #expect(throws: IncidentRefusal.tooSoon(seconds: 11)) {
            try workshop.reporter.record(note: "", on: map.name, incarnation: 1)
        }
        for _ in 0..<1000 { workshop.reporter.report(.conflict(conflict), on: map.name, incarnation: 1) }
        workshop.pass(seconds: 10)
        _ = try workshop.reporter.record(note: "second", on: map.name, incarnation: 1)
        workshop.reporter.drain()
        #expect(workshop.archive.listed.map(\.summary.note) == ["second", "first"])
        #expect(workshop.archive.listed.map(\.summary.isFirstOfHour) == [false, true])
        #expect(workshop.reporter.count(map.name, incarnation: 1, .conflict) == 1000)
        #expect(workshop.reporter.count(map.name, incarnation: 1, .manual) == 2)
        #expect(workshop.reporter.outcomes.written == 2)
        #expect(workshop.reporter.outcomes.limited == 1001)
    }

    @Test("what waits for a slow disk is bounded, and what is over the bound is counted")
    func queue() throws {
        let workshop = try Workshop(isInMemory: true)
        for number in 0..<(IncidentReporter.maximumPending + 5) {
            workshop.pass(seconds: 1)
            workshop.reporter.report(
                .conflict(conflict), on: try MapName("m\(number)"), incarnation: UInt64(number))
        }
        #expect(workshop.reporter.outcomes.dropped == 5)
        workshop.reporter.drain()
        #expect(workshop.archive.listed.count == IncidentReporter.maximumPending)
    }
}
