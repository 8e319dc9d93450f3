import FlightRecorder
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("The recording of a run")
struct RecordingTests {
    @Test("a ring keeps the last 16 operations of its shard, each with all that was said of it")
    func wraps() throws {
        let fixture = Fixture()
        let recorder = try fixture.recorder()
        let rings = try recorder.lend(map: "orders", incarnation: 1, shards: 4)
        recorder.name(3, "checkout")
        rings.update(2, times: 39)
        rings.record(
            shard: 2, operation: .delete, outcome: .miss, keyHash: 0xaf63_dc4c_8601_ec8c, monotonic: 5_040_000_000,
            durationNanoseconds: 1500, thread: 99, caller: 3)
        let operations = recorder.operations(of: "orders")
        #expect(operations.map(\.number) == Array(25...40))
        #expect(operations.allSatisfy { $0.shard == 2 && $0.map == "orders" })
        #expect(operations.first?.caller == "thread 7")
        let last = try #require(operations.last)
        #expect(
            last
                == RecordedOperation(
                    timeNanosecondsSince1970: 1_772_366_400_000_000_000 + 40_000_000 / 1024 * 1024, caller: "checkout",
                    thread: 99, map: "orders", shard: 2, number: 40, operation: .delete,
                    keyHash: 0xaf63_dc4c_8601_ec8c, durationNanoseconds: 1500, outcome: .miss))
        #expect(recorder.operationsRecorded == 40)
    }

    @Test("what a run that was cut off leaves is the previous run's, what one that ended in order leaves is not")
    func ends() throws {
        let fixture = Fixture()
        do {
            let recorder = try fixture.recorder()
            let rings = try recorder.lend(map: "orders", incarnation: 1, shards: 4)
            let idle = try recorder.lend(map: "idle", incarnation: 2, shards: 1)
            for shard in 0..<4 { rings.update(shard, times: 12) }
            withExtendedLifetime(idle) {}
        }
        do {
            let opening = fixture.open()
            let previous = try #require(opening.previousRun)
            #expect(opening.problems.isEmpty)
            #expect(previous.startedAt == 1_772_366_400_000_000_000)
            #expect(previous.lastOperationAt == previous.startedAt + 11 * 1_024_000)
            #expect(previous.operations["orders"]?.count == 48)
            #expect(previous.operations["idle"] == [])
            opening.recorder?.endInOrder()
        }
        #expect(fixture.open().previousRun == nil)
    }

    @Test("eight threads on one ring leave whole records, of the last numbers")
    func threads() throws {
        let fixture = Fixture()
        let recorder = try fixture.recorder()
        let rings = try recorder.lend(map: "orders", incarnation: 1, shards: 1)
        ThreadGroup.run(8) { thread in
            for count in 0..<5_000 {
                rings.record(
                    shard: 0, operation: .load, outcome: .hit, keyHash: UInt64(thread) << 32 | UInt64(count),
                    monotonic: 5_000_000_000, durationNanoseconds: 0, thread: UInt32(thread), caller: 0)
                if count % 1000 == 0 { _ = recorder.operations(of: "orders") }
            }
        }
        let operations = recorder.operations(of: "orders")
        #expect(recorder.operationsRecorded == 40_000)
        // A thread that was overtaken by a whole round has left a record of an older number, or a mixture.
        #expect(operations.count >= 16 - 8)
        #expect(operations.allSatisfy { $0.keyHash >> 32 == UInt64($0.thread) && $0.keyHash & 0xffff_ffff < 5_000 })
        #expect(Set(operations.map(\.number)).count == operations.count)
    }

    @Test("a dropped map stays readable until its room is needed, and the one dropped first goes first")
    func reuse() throws {
        let fixture = Fixture()
        do {
            let recorder = try fixture.recorder(rings: 8)
            for (incarnation, name) in ["first", "second"].enumerated() {
                let rings = try recorder.lend(map: name, incarnation: UInt64(incarnation), shards: 4)
                rings.update(3, times: 2)
            }
            let third = try recorder.lend(map: "third", incarnation: 9, shards: 3)
            third.update(0, times: 1)
            #expect(recorder.mapsRecorded == 1)
            #expect(recorder.operationsRecorded == 5)
        }
        let previous = try #require(fixture.open(rings: 8).previousRun)
        #expect(previous.operations.mapValues(\.count) == ["second": 2, "third": 1])
    }

    @Test("a map that does not fit is refused with the room that is left, and the others go on")
    func full() throws {
        let fixture = Fixture()
        let recorder = try fixture.recorder(rings: 8)
        let first = try recorder.lend(map: "first", incarnation: 1, shards: 5)
        let problem = #expect(throws: RecorderProblem.self) {
            try recorder.lend(map: "second", incarnation: 2, shards: 4)
        }
        #expect(
            problem?.description
                == "map \"second\" is not recorded: it needs 4 rings, and 3 of 8 are left in one piece; drop a map or give "
                + "it fewer shards")
        let third = try recorder.lend(map: "third", incarnation: 3, shards: 3)
        first.update(4, times: 1)
        third.update(2, times: 1)
        #expect(recorder.operations(of: "first").count == 1)
        #expect(recorder.operations(of: "third").count == 1)
    }

    @Test("of two lives of a name the newer is shown")
    func lives() throws {
        let fixture = Fixture()
        do {
            let recorder = try fixture.recorder(rings: 8)
            try recorder.lend(map: "orders", incarnation: 1, shards: 2).update(0, times: 5)
            try recorder.lend(map: "orders", incarnation: 2, shards: 2).update(1, times: 3)
        }
        #expect(fixture.open(rings: 8).previousRun?.operations["orders"]?.map(\.shard) == [1, 1, 1])
    }

    @Test("a second recorder in a directory is refused while the first one lives")
    func locked() throws {
        let fixture = Fixture()
        do {
            let recorder = try fixture.recorder()
            let opening = fixture.open()
            #expect(opening.recorder == nil)
            #expect(opening.problems == [.inUse(directory: fixture.directory)])
            withExtendedLifetime(recorder) {}
        }
        #expect(fixture.open().recorder != nil)
    }
}
