import InstrumentedMaps
import Instruments
import TestSupport
import Testing

/// Keeps what it hears.
final class Listener: OperationObserver {
    let events = LockedState<[OperationEvent]>([])
    let conflicts = LockedState<[MapConflict]>([])
    let inside = LockedState<[ObservedOperation]>([])

    func didOperate(_ event: OperationEvent) { events.withLock { $0.append(event) } }

    func didConflict(_ conflict: MapConflict) { conflicts.withLock { $0.append(conflict) } }

    func insideCriticalSection(_ shard: Int, _ operation: ObservedOperation) {
        inside.withLock { $0.append(operation) }
    }

    /// What was heard since the last time.
    func take() -> [OperationEvent] {
        events.withLock { events in
            defer { events = [] }
            return events
        }
    }
}

extension OperationEvent {
    /// Operation, outcome and key in a word.
    fileprivate var text: String { "\(operation.name) \(outcome)" }
}

@Suite("Observers")
struct ObserverTests {
    private func make(
        _ shape: MapShape, _ listener: Listener, ttlSeconds: Int? = nil, clock: ManualClock? = nil
    ) throws -> any InstrumentedMap {
        let host = MapHost(
            nanoseconds: clock?.nanoseconds, observer: { _, _, _ in listener },
            secondsSince1970: { 0 })
        let name = try MapName("m")
        _ = try host.create(name, shape.options(ttlSeconds: ttlSeconds))
        return try #require(host.map(name))
    }

    @Test(
        "the key hash is Go's FNV-1a-64",
        arguments: [("", 0xcbf2_9ce4_8422_2325 as UInt64), ("a", 0xaf63_dc4c_8601_ec8c)])
    func fnv(text: String, hash: UInt64) {
        #expect(FNV1a64.hash(Array(text.utf8).span) == hash)
    }

    @Test("an observer hears what each operation came to", arguments: MapShape.all)
    func hearsOutcomes(shape: MapShape) throws {
        let listener = Listener()
        let map = try make(shape, listener)
        let a = Array("a".utf8)
        map.store(a, [1])
        map.store(a, [2])
        _ = map.load(a)
        _ = map.load([0])
        map.delete(a)
        map.delete(a)
        map.insertIfAbsent(a, [3])
        map.insertIfAbsent(a, [4])
        _ = map.getOrInsert(a) { [5] }
        map.update(a) { $0 = nil }
        #expect(
            listener.take().map(\.text) == [
                "insert hit", "update hit", "load hit", "load miss", "delete hit", "delete miss", "insert hit",
                "modify hit", "load hit", "delete hit",
            ])
    }

    @Test("an event says shard, key hash, thread, caller and a time that has passed", arguments: MapShape.oneEach)
    func eventsAreWhole(shape: MapShape) throws {
        let listener = Listener()
        let map = try make(shape, listener)
        let before = MonotonicClock.nanoseconds()
        withCaller(.named("checkout")) { _ = map.store(Array("a".utf8), [1]) }
        let after = MonotonicClock.nanoseconds()
        let event = try #require(listener.take().first)
        #expect(event.keyHash == 0xaf63_dc4c_8601_ec8c)
        #expect(event.caller.name == "checkout")
        #expect(event.thread != 0)
        #expect(event.started >= before && event.started + event.duration <= after)
        #expect(map.snapshot().shards[event.shard].inserts == 1)
        #expect(Caller.current == .none)
    }

    @Test("a batch is heard operation by operation", arguments: MapShape.oneEach)
    func hearsBatches(shape: MapShape) throws {
        let listener = Listener()
        let map = try make(shape, listener)
        var batch = MapBatch()
        let (keys, value) = ((0..<40).map { key($0) }, [UInt8]())
        for key in keys { batch.store(key.span, value.span) }
        let (one, two) = (keys[1], keys[2])
        batch.load(one.span)
        batch.delete(two.span)
        map.perform(&batch)
        let events = listener.take()
        #expect(events.map(\.operation) == Array(repeating: .insert, count: 40) + [.load, .delete])
        #expect(events.map(\.keyHash).prefix(40) == keys.map { FNV1a64.hash($0.span) }[...])
    }

    @Test("walks are heard shard by shard, and each delete of a sweep by its key", arguments: MapShape.oneEach)
    func hearsWalks(shape: MapShape) throws {
        let listener = Listener()
        let map = try make(shape, listener)
        for number in 0..<200 { map.store(key(number), [1]) }
        _ = listener.take()
        let shards = map.options.shards
        for kind in [IterationKind.live, .snapshot] {
            #expect(try map.entries(kind).count == 200)
            #expect(listener.take().map(\.operation) == Array(repeating: .iterate, count: shards))
        }
        #expect(map.deleteMatching(prefix: []) == 200)
        let events = listener.take()
        #expect(events.count { $0.operation == .iterate } == shards)
        let deleted = events.filter { $0.operation == .delete && $0.outcome == .hit }.map(\.keyHash)
        #expect(Set(deleted) == Set((0..<200).map { FNV1a64.hash(key($0).span) }))
        #expect(deleted.count == 200)
    }

    @Test("maintenance is heard where it takes expired entries, and only there", arguments: MapShape.oneEach)
    func hearsSweeps(shape: MapShape) throws {
        let listener = Listener()
        let clock = ManualClock()
        let map = try make(shape, listener, ttlSeconds: 1, clock: clock)
        for number in 0..<100 { map.store(key(number), [1]) }
        _ = listener.take()
        _ = map.maintain(budget: 1_000)
        #expect(listener.take().isEmpty)
        clock.advance(seconds: 3)
        _ = map.maintain(budget: 1_000)
        let events = listener.take()
        #expect(!events.isEmpty)
        #expect(events.allSatisfy { $0.operation == .sweep })
    }

    @Test("inside the critical section the shard is closed to others")
    func insideIsInside() throws {
        let listener = Listener()
        let map = try make(MapShape(strategy: .sharded, shards: 1), listener)
        map.store([1], [1])
        _ = map.load([1])
        map.delete([1])
        let key: [UInt8] = [1]
        map.modify(key.span, countingLoad: false) { _ in .keep }
        #expect(listener.inside.withLock { $0 } == [.update, .load, .delete, .modify])
    }

    @Test("a mode is switched under an observer, who hears all the same", arguments: [MapMode.global, .normal])
    func hearsInEachMode(mode: MapMode) throws {
        let listener = Listener()
        let map = try make(MapShape(strategy: .sharded, shards: 4), listener)
        map.setMode(mode)
        #expect(map.mode == mode)
        map.store([1], [1])
        #expect(listener.take().map(\.operation) == [.insert])
    }

    @Test("a caller's name is kept, cut at 64 bytes, and nobody's is none")
    func callers() {
        #expect(Caller.named("x").name == "x")
        #expect(Caller.named("x") == Caller.named("x"))
        #expect(Caller.named("") == .none)
        #expect(Caller.none.name == nil)
        #expect(Caller.named(String(repeating: "y", count: 65)).name == String(repeating: "y", count: 64))
        let filled = String(repeating: "y", count: 62)
        #expect(Caller.named(filled + "名").name == filled)
        #expect(Caller.named(filled + "e\u{301}").name == filled)
        #expect(Caller.named("z" + String(repeating: "\u{301}", count: 40)).name?.utf8.count == 63)
        #expect(Caller.numbered(Caller.named("x").id).name == "x")
        #expect(Caller.numbered(.max) == .none)
    }
}
