import FlightRecorder
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The flight recorder of the daemon")
struct RecorderTests {
    @Test("what was done last survives SIGKILL, with the caller, the outcome and Go's hash of the key")
    func survives() throws {
        let storage = try TemporaryFolder()
        let daemon = try MapwatchProcess(["--storage.path", storage.path])
        _ = try daemon.child.waitForErrorLine("recording the last operations")
        #expect(try daemon.data("PUT", "/api/v1/maps/orders", body: #"{"shards":1}"#).status == 201)
        #expect(try daemon.data("PUT", "/api/v1/maps/idle", body: #"{"shards":4}"#).status == 201)
        let connection = try daemon.connectToData()
        for number in 1...20 {
            _ = try connection.request(
                "PUT", entry("orders", "key-\(number)"), headers: [("X-Mapwatch-Caller", "checkout")], body: [0x76])
        }
        #expect(try connection.request("PUT", entry("orders", "a"), body: [0x76]).status == 201)
        #expect(try connection.request("PUT", entry("orders", "a"), body: [0x77]).status == 204)
        #expect(try connection.request("DELETE", entry("orders", "a"), body: []).status == 204)
        #expect(try connection.request("DELETE", entry("orders", "a"), body: []).status == 404)
        #expect(try daemon.terminate(SIGKILL) == .signal(SIGKILL))

        let found = try FoundRecording(storage: storage)
        #expect(!found.recording.endedInOrder)
        #expect(found.recording.problems.isEmpty)
        #expect(found.recording.maps["idle"] == [])
        let operations = try #require(found.shards(of: "orders")[0])
        #expect(operations.map(\.number) == Array(9...24))
        #expect(operations.suffix(4).map(\.operation) == [.insert, .update, .delete, .delete])
        #expect(operations.suffix(4).map(\.outcome) == [.hit, .hit, .hit, .miss])
        #expect(operations.suffix(4).allSatisfy { $0.keyHash == 0xaf63_dc4c_8601_ec8c })
        #expect(operations.prefix(12).map(\.caller) == [String](repeating: "checkout", count: 12))
        #expect(operations.prefix(12).map(\.keyHash) == (9...20).map { FoundRecording.keyHash("key-\($0)") })
        let age = Date().timeIntervalSince1970 - Double(operations[15].timeNanosecondsSince1970) / 1e9
        #expect(age > -1 && age < 60)

        let next = try MapwatchProcess(["--storage.path", storage.path])
        _ = try next.child.waitForErrorLine("the previous run did not end in order", "operations=16", "maps=2")
        #expect(try next.terminate(SIGTERM) == .code(0))
        let third = try MapwatchProcess(["--storage.path", storage.path])
        _ = try third.child.waitForErrorLine("recording the last operations")
        #expect(!third.child.errors.contains("did not end in order"))
    }

    @Test("series say how many maps are recorded, and how many are not")
    func series() throws {
        let storage = try TemporaryFolder()
        let daemon = try MapwatchProcess(["--storage.path", storage.path])
        _ = try daemon.data("PUT", "/api/v1/maps/orders", body: #"{"shards":2}"#)
        for key in ["a", "b", "c"] { _ = try daemon.data("PUT", entry("orders", key), body: [0x76]) }
        let on = try daemon.scrape()
        #expect(on.value("mapwatch_recorder_operations_total") == 3)
        #expect(on.value("mapwatch_recorder_maps", ["state": "recorded"]) == 1)
        #expect(on.value("mapwatch_recorder_maps", ["state": "unrecorded"]) == 0)

        let without = try MapwatchProcess()
        _ = try without.data("PUT", "/api/v1/maps/orders", body: #"{"shards":2}"#)
        _ = try without.data("PUT", entry("orders", "a"), body: [0x76])
        let off = try without.scrape()
        #expect(off.value("mapwatch_recorder_operations_total") == 0)
        #expect(off.value("mapwatch_recorder_maps", ["state": "unrecorded"]) == 1)
    }

    @Test("a foreign file, a file that cannot grow and a directory that cannot be made are logged, and maps are served")
    func serves() throws {
        let storage = try TemporaryFolder()
        _ = try storage.write("recorder", "this is no recording\n")
        let foreign = try MapwatchProcess(["--storage.path", storage.path])
        _ = try foreign.child.waitForErrorLine("flight recorder", "is no recording of mapwatch")
        try Self.expectServing(foreign)

        let small = try TemporaryFolder()
        let limited = try MapwatchProcess(["--storage.path", small.path], fileSizeLimit: 1_000_000)
        _ = try limited.child.waitForErrorLine(
            "flight recorder", "cannot take 16777216 bytes for \(small.path)/recorder.new", "(errno 27)")
        _ = try limited.child.waitForErrorLine("level=error", "not recording operations")
        try Self.expectServing(limited)

        let impossible = try MapwatchProcess(["--storage.path", "/proc/mapwatch"])
        _ = try impossible.child.waitForErrorLine("flight recorder", "cannot make the directory /proc/mapwatch")
        try Self.expectServing(impossible)
    }

    private static func expectServing(_ daemon: MapwatchProcess) throws {
        #expect(try daemon.data("PUT", "/api/v1/maps/orders", body: "{}").status == 201)
        #expect(try daemon.data("PUT", entry("orders", "a"), body: [0x76]).status == 201)
        #expect(try daemon.terminate(SIGTERM) == .code(0))
    }
}
