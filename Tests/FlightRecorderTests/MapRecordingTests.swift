import FlightRecorder
import InstrumentedMaps
import Instruments
import TestSupport
import Testing

/// A map that writes its records itself, into the rings that its observer lends.
@Suite("Operations that a map records")
struct MapRecordingTests {
    private final class Observer: OperationObserver {
        let interest: ObserverInterest
        private let recorder: FlightRecorder
        private let mapRings: MapRings
        let told = Tally()

        init(_ recorder: FlightRecorder, _ mapRings: MapRings, reads: Bool) {
            self.recorder = recorder
            self.mapRings = mapRings
            interest = reads ? [.reads] : []
        }

        var rings: RingWriter? { mapRings.writer }
        func didMeet(_ caller: Caller) { recorder.name(caller.id, caller.name ?? "") }
        func didOperate(_ event: OperationEvent) { told.add() }
    }

    private static func options() throws -> [MapOptions] {
        [
            try MapOptions(shards: 1), try MapOptions(shards: 1, reads: .optimistic), try MapOptions(strategy: .rwlock),
            try MapOptions(shards: 1, mode: .global),
        ]
    }

    /// A map with its recorder, which keep each other.
    private struct Recorded {
        let map: any InstrumentedMap
        let recorder: FlightRecorder
        let fixture = Fixture()

        init(_ options: MapOptions, reads: Bool) throws {
            let recorder = try fixture.recorder()
            self.recorder = recorder
            let host = MapHost(
                observer: { name, options, incarnation in
                    let rings = try? recorder.lend(
                        map: name.text, incarnation: incarnation, shards: options.shards, takesReads: reads)
                    return rings.map { Observer(recorder, $0, reads: reads) }
                }, secondsSince1970: { 0 })
            let name = try MapName("orders")
            _ = try host.create(name, options)
            map = try host.mapForWriting(name)
        }

        /// Operation and outcome of each record in a word.
        var texts: [String] { recorder.operations(of: "orders").map { "\($0.operation) \($0.outcome)" } }
    }

    @Test(
        "each operation is recorded as what it came to, with its key, its thread and its caller",
        arguments: [true, false])
    func outcomes(reads: Bool) throws {
        for options in try Self.options() {
            let recorded = try Recorded(options, reads: reads)
            let (map, a) = (recorded.map, Array("a".utf8))
            withCaller(.named("checkout")) { _ = map.store(a, [1]) }
            map.store(a, [2])
            _ = map.load(a)
            _ = map.load([0])
            map.delete(a)
            map.delete(a)
            map.insertIfAbsent(a, [3])
            _ = map.getOrInsert(a) { [5] }
            map.update(a) { $0 = nil }
            map.store(a, [1])
            #expect(map.deleteMatching(prefix: []) == 1)
            let loads = reads ? ["load hit", "load miss"] : []
            // What looks and might have written is recorded either way, unless it was a load in the end.
            let look = reads ? ["load hit"] : []
            let expected =
                ["insert hit", "update hit"] + loads + ["delete hit", "delete miss", "insert hit"] + look
                + ["delete hit", "insert hit", "iterate hit", "delete hit"]
            #expect(recorded.texts == expected, "\(options)")
            let operations = recorded.recorder.operations(of: "orders")
            #expect(operations.map(\.number) == (1...UInt64(operations.count)).map { $0 })
            let keys = operations.filter { $0.operation != .iterate && $0.outcome == .hit }
            #expect(keys.allSatisfy { $0.keyHash == 0xaf63_dc4c_8601_ec8c })
            #expect(operations.first?.caller == "checkout")
            #expect(operations.allSatisfy { $0.thread == Caller.currentThread })
        }
    }

    @Test("what a batch does is recorded in its order, with its caller", arguments: [true, false])
    func batches(reads: Bool) throws {
        for options in try Self.options() {
            let recorded = try Recorded(options, reads: reads)
            let a = Array("a".utf8)
            var batch = MapBatch()
            batch.store(a.span, [1].span)
            batch.load(a.span)
            batch.store(a.span, [2].span)
            batch.delete(a.span)
            batch.delete(a.span)
            withCaller(.named("nightly")) { recorded.map.perform(&batch) }
            let load = reads ? ["load hit"] : []
            let expected = ["insert hit"] + load + ["update hit", "delete hit", "delete miss"]
            #expect(recorded.texts == expected, "\(options)")
            let operations = recorded.recorder.operations(of: "orders")
            #expect(operations.allSatisfy { $0.caller == "nightly" && $0.keyHash == 0xaf63_dc4c_8601_ec8c })
        }
    }

    @Test("threads at once lose no number, and leave whole records", arguments: [true, false])
    func threads(reads: Bool) throws {
        for options in try Self.options() {
            let recorded = try Recorded(options, reads: reads)
            let map = recorded.map
            ThreadGroup.run(8) { thread in
                for number in 0..<5_000 {
                    let key = [UInt8(thread), UInt8(truncatingIfNeeded: number)]
                    map.store(key, key)
                    _ = map.load(key)
                    map.delete(key)
                }
            }
            #expect(recorded.recorder.operationsRecorded == 8 * 5_000 * (reads ? 3 : 2), "\(options)")
            let numbers = recorded.recorder.operations(of: "orders").map(\.number)
            #expect(numbers.last == recorded.recorder.operationsRecorded, "\(options)")
            #expect(numbers.count >= 10, "\(options)")
        }
    }

    @Test("operations that are recorded are timed like any others, one in 64", arguments: [true, false])
    func timings(reads: Bool) throws {
        for options in try Self.options() {
            let map = try Recorded(options, reads: reads).map
            for number in 0..<6_400 {
                let key = [UInt8(truncatingIfNeeded: number)]
                map.store(key, key)
                _ = map.load(key)
                map.delete(key)
            }
            let timings = map.snapshot().timings
            for kind in [timings.loads, timings.stores, timings.deletes] {
                // 100 are due; six deviations of their scatter stay within half of them.
                #expect((50...150).contains(kind.count), "\(options)")
            }
        }
    }

    @Test("a map that writes records tells its observer of no operation")
    func tellsNothing() throws {
        let fixture = Fixture()
        let recorder = try fixture.recorder()
        let observer = Observer(
            recorder, try recorder.lend(map: "orders", incarnation: 1, shards: 1), reads: true)
        let host = MapHost(observer: { _, _, _ in observer }, secondsSince1970: { 0 })
        let name = try MapName("orders")
        _ = try host.create(name, MapOptions(shards: 1))
        let map = try host.mapForWriting(name)
        map.store([1], [1])
        _ = map.deleteMatching(prefix: [])
        #expect(observer.told.value == 0)
        #expect(recorder.operationsRecorded == 3)
    }
}
