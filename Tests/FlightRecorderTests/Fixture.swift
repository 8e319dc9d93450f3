import FlightRecorder
import Foundation

/// A directory of its own with a recorder in it, as small as one can be.
final class Fixture: Sendable {
    static let clocks = RecorderClocks(secondsSince1970: { 1_772_366_400 }, monotonicNanoseconds: { 5_000_000_000 })
    /// What a file takes beside its rings.
    static let bytesBeside = 74_752 * 8
    static let ringBytes = 512

    let directory = FileManager.default.temporaryDirectory.path + "/mapwatch-recorder-\(UUID().uuidString)"

    var path: String { directory + "/recorder" }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func open(rings: Int = 16) -> RecorderOpening {
        RecorderOpening(
            directory: directory, bytes: Fixture.bytesBeside + rings * Fixture.ringBytes, clocks: Fixture.clocks)
    }

    /// The recorder of an opening that nothing was wrong with.
    func recorder(rings: Int = 16) throws -> FlightRecorder {
        let opening = open(rings: rings)
        guard let recorder = opening.recorder, opening.problems.isEmpty else {
            throw UnexpectedOpening(problems: opening.problems)
        }
        return recorder
    }

    func write(_ bytes: [UInt8]) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    func words() throws -> [UInt64] {
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        return stride(from: 0, to: bytes.count, by: 8).map { start in
            (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64($1 * 8) }
        }
    }
}

struct UnexpectedOpening: Error {
    let problems: [RecorderProblem]
}

extension MapRings {
    /// Records updates of one shard, one a millisecond.
    func update(_ shard: Int, times: Int, caller: UInt32 = 0) {
        for time in 0..<times {
            record(
                shard: shard, operation: .update, outcome: .hit, keyHash: UInt64(time) &* 0x9e37_79b9_7f4a_7c15,
                monotonic: 5_000_000_000 + UInt64(time) * 1_024_000, durationNanoseconds: 0, thread: 7, caller: caller)
        }
    }
}
