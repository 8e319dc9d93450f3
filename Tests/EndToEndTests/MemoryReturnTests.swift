import Foundation
import TestSupport
import Testing

@Suite("Memory that comes back")
struct MemoryReturnTests {
    /// A million where the release build is tested; the debug build takes ten times as long.
    private static let entries = ProcessInfo.processInfo.environment["MAPWATCH_BINARY"] == nil ? 100_000 : 1_000_000
    private static let linesPerBatch = 50_000

    private let daemon: MapwatchProcess
    private let connection: HTTPConnection

    init() throws {
        daemon = try MapwatchProcess()
        connection = try HTTPConnection(port: daemon.dataPort, timeoutSeconds: 120)
    }

    @Test("of a map's resident memory at least 70 % is back ten seconds after 90 % of it were deleted at random")
    func comesBack() throws {
        // What parsing a batch leaves in the heap is none of the map's.
        for map in ["warm", "full"] { #expect(try daemon.data("PUT", "/api/v1/maps/\(map)").status == 201) }
        try fill("warm", 0..<Self.linesPerBatch)
        try delete("warm", Array(0..<Self.linesPerBatch))
        #expect(try daemon.data("DELETE", "/api/v1/maps/warm").status == 204)
        let before = try residentBytes()
        for start in stride(from: 0, to: Self.entries, by: Self.linesPerBatch) {
            try fill("full", start..<min(start + Self.linesPerBatch, Self.entries))
        }
        let grown = try residentBytes() - before
        #expect(grown > Self.entries * 112, "a map of \(Self.entries) entries takes \(grown) bytes")
        var generator = SeededGenerator(seed: TestSeed.value)
        let doomed = (0..<Self.entries).shuffled(using: &generator).prefix(Self.entries / 10 * 9)
        for start in stride(from: 0, to: doomed.count, by: Self.linesPerBatch) {
            try delete("full", Array(doomed[start..<min(start + Self.linesPerBatch, doomed.count)]))
        }
        _ = try pollUntilAnswered("70 % of \(grown) bytes, \(TestSeed.note)", seconds: 10) {
            try (residentBytes() - before) * 10 <= grown * 3 ? true : nil
        }
    }

    /// A key of 12 bytes.
    private func key(_ number: Int) -> String { "key-" + String(String(number + 100_000_000).dropFirst()) }

    private func fill(_ map: String, _ numbers: Range<Int>) throws {
        let value = String(repeating: "v", count: 100)
        var body = ""
        for number in numbers { body += "{\"op\":\"put\",\"key\":\"\(key(number))\",\"value\":\"\(value)\"}\n" }
        let answer = try connection.request("POST", "/api/v1/maps/\(map)/batch", body: Array(body.utf8))
        #expect(answer.status == 200)
    }

    private func delete(_ map: String, _ numbers: [Int]) throws {
        let keys = numbers.map { "\"\(key($0))\"" }.joined(separator: ",")
        let answer = try connection.request(
            "POST", "/api/v1/maps/\(map)/delete", body: Array("{\"keys\":[\(keys)]}".utf8))
        #expect(answer.text == "{\"deleted\":\(numbers.count)}\n")
    }

    /// Bytes of the daemon that are in memory.
    private func residentBytes() throws -> Int {
        let scrape = try daemon.scrape()
        return try Int(#require(scrape.value("process_resident_memory_bytes")))
    }
}
