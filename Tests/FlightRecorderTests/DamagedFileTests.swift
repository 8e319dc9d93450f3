import Foundation
import Glibc
import Instruments
import TestSupport
import Testing

@testable import FlightRecorder

@Suite("A recording that is not what it should be")
struct DamagedFileTests {
    /// A recording of two maps, one of them with callers.
    private static func recording() throws -> (fixture: Fixture, words: [UInt64]) {
        let fixture = Fixture()
        do {
            let recorder = try fixture.recorder(rings: 8)
            recorder.name(1, "checkout")
            try recorder.lend(map: "orders", incarnation: 1, shards: 4).update(1, times: 20, caller: 1)
            try recorder.lend(map: "sessions", incarnation: 2, shards: 4).update(3, times: 20)
        }
        return (fixture, try fixture.words())
    }

    @Test("one that was cut short anywhere is told by its length")
    func truncatedAnywhere() throws {
        let (_, words) = try Self.recording()
        let whole = words.count * 8
        // Beyond the header the middle of a word is like its last byte.
        for bytes in 0..<whole where bytes < 8192 || [0, 1, 7].contains(bytes % 8) {
            let problem = Self.problem { () throws(RecorderProblem) in
                try Recording(words[..<((bytes + 7) / 8)], bytes: bytes, path: "F")
            }
            switch problem {
            case .foreign: #expect(bytes <= 8)
            case .damagedHeader: #expect(bytes > 8 && bytes <= 4096 - 8)
            case .wrongSize(_, bytes, whole): #expect(bytes > 4096 - 8)
            default: Issue.record("cut to \(bytes) bytes: \(String(describing: problem))")
            }
        }
    }

    private static func problem(_ body: () throws(RecorderProblem) -> Recording) -> RecorderProblem? {
        do throws(RecorderProblem) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    // At most one bit a record, which its check always tells; of two, the one may undo in the check what the other did.
    @Test("one with flipped bits is refused, or gives only what was recorded")
    func flipped() throws {
        let (_, words) = try Self.recording()
        let whole = try Recording(words[...], bytes: words.count * 8, path: "F").maps
        let recorded = Set(whole.values.joined().map { TraceText.json($0) })
        let records = 74_752..<words.count
        let used = Array(0..<12) + Array(512..<544) + [33_289, 33_290] + Array(records)
        var numbers = SeededGenerator(seed: TestSeed.value)
        var read = 0
        for _ in 0..<3_000 {
            var damaged = words
            var hit: Set<Int> = []
            for _ in 0..<Int.random(in: 1...8, using: &numbers) {
                let word = used.randomElement(using: &numbers) ?? 0
                guard !records.contains(word) || hit.insert(word / RecordWords.count).inserted else { continue }
                damaged[word] ^= 1 << UInt64.random(in: 0..<64, using: &numbers)
            }
            guard let maps = try? Recording(damaged[...], bytes: words.count * 8, path: "F").maps else { continue }
            read += 1
            // A caller's damaged name is shown as the thread.
            let operations = maps.values.joined().map { TraceText.json($0) }
            let unknown = operations.filter {
                !recorded.contains($0) && !recorded.contains($0.replacing("thread 7\"", with: "checkout\""))
            }
            #expect(unknown.isEmpty, "\(TestSeed.note)")
        }
        #expect(read > 100)
    }

    @Test(
        "a foreign file is put aside and recording goes on",
        arguments: [[], Array("not a recording\n".utf8), [UInt8](repeating: 0xff, count: 100_000)])
    func foreign(content: [UInt8]) throws {
        let fixture = Fixture()
        try fixture.write(content)
        let opening = fixture.open()
        #expect(opening.recorder != nil)
        #expect(opening.previousRun == nil)
        #expect(
            opening.problems.map(\.description) == [
                "\(fixture.path) is no recording of mapwatch", "moved \(fixture.path) to \(fixture.path).unreadable",
            ])
        #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path + ".unreadable")) == Data(content))
    }

    @Test("a pipe in the recording's place holds nobody up")
    func pipe() throws {
        let fixture = Fixture()
        try FileManager.default.createDirectory(atPath: fixture.directory, withIntermediateDirectories: true)
        #expect(unsafe mkfifo(fixture.path, 0o600) == 0)
        #expect(fixture.open().recorder != nil)
    }

    @Test("another release's recording is put aside with both versions")
    func version() throws {
        let (fixture, words) = try Self.recording()
        var bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) } }
        bytes[8] = 9
        try fixture.write(bytes)
        let opening = fixture.open()
        #expect(opening.recorder != nil)
        #expect(opening.problems.first == .otherVersion(path: fixture.path, version: 9))
    }

    @Test("a truncated file on disk is put aside")
    func truncatedOnDisk() throws {
        let (fixture, words) = try Self.recording()
        #expect(unsafe truncate(fixture.path, 100_000) == 0)
        let opening = fixture.open()
        #expect(opening.recorder != nil)
        #expect(opening.problems.first == .wrongSize(path: fixture.path, bytes: 100_000, expected: words.count * 8))
    }

    @Test(
        "a directory that cannot be written to is named with the reason",
        arguments: [
            ("/sys/kernel", "/sys/kernel/recorder.new"), ("/dev/null/deeper", "/dev/null/deeper"),
        ])
    func readOnly(directory: String, named: String) throws {
        let opening = RecorderOpening(directory: directory, clocks: Fixture.clocks)
        #expect(opening.recorder == nil)
        let problem = try #require(opening.problems.last?.description)
        #expect(problem.contains(named) && problem.contains("(errno "), "\(problem)")
    }
}
