import CSystem
import TestSupport
import Testing

@testable import InstrumentedMaps

// The system refuses memory by chance, wherever a table takes any: slabs and their pool, large records, directories,
// index blocks, the wheel of deadlines, arrays of entries. Refusals belong to a thread, so that other tests run beside.

private var seedNote: Comment { "\(TestSeed.note)" }

/// A map against a dictionary, with memory that comes or does not.
private struct RefusedModel {
    struct Entry: Equatable {
        let value: [UInt8]
        let deadline: Int
    }

    let map: any InstrumentedMap
    let clock: ManualClock
    var generator: SeededGenerator
    var expected: [[UInt8]: Entry] = [:]
    /// Seconds that the clock has gone on.
    var now = 0
    var refusals: UInt64 = 0
    var inserts: UInt64 = 0
    var updates: UInt64 = 0

    mutating func draw(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

    func live(_ key: [UInt8]) -> [UInt8]? {
        expected[key].flatMap { $0.deadline > now ? $0.value : nil }
    }

    mutating func step(storeShare: Int) {
        let key = key(draw(3_000))
        switch draw(100) {
        case ..<storeShare: store(key)
        case ..<(storeShare + 10): modify(key)
        case ..<(storeShare + 13): performBatch()
        case ..<(storeShare + 15): _ = map.maintain(budget: draw(200))
        case ..<(storeShare + 20): #expect(map.load(key) == live(key), seedNote)
        default:
            #expect(map.delete(key) == (live(key) != nil), seedNote)
            expected[key] = nil
        }
    }

    /// Mostly small, sometimes beyond the classes of slots.
    mutating func randomValue() -> [UInt8] {
        [UInt8](repeating: UInt8(draw(256)), count: draw(20) == 0 ? 2_000 + draw(4_000) : draw(300))
    }

    mutating func note(_ outcome: StoreOutcome, _ key: [UInt8], _ value: [UInt8], for seconds: Int?) {
        switch outcome {
        case .refused: refusals += 1
        case .inserted:
            #expect(live(key) == nil, seedNote)
            inserts += 1
        case .updated:
            #expect(live(key) != nil, seedNote)
            updates += 1
        }
        if outcome != .refused { expected[key] = Entry(value: value, deadline: seconds.map { now + $0 } ?? .max) }
    }

    mutating func store(_ key: [UInt8]) {
        let value = randomValue()
        if draw(8) == 0 {
            let seconds = 1 + draw(100)
            note(map.store(key, value, ttlSeconds: seconds), key, value, for: seconds)
        } else {
            note(map.store(key, value), key, value, for: nil)
        }
    }

    mutating func modify(_ key: [UInt8]) {
        let value = randomValue()
        let outcome = map.update(key) { current in
            if current != live(key) { Issue.record("an update saw something else, \(seedNote)") }
            current = value
        }
        if case .stored(let outcome) = outcome { note(outcome, key, value, for: nil) }
    }

    mutating func performBatch() {
        var batch = MapBatch()
        let keys = Set((0..<10).map { _ in key(draw(3_000)) }).sorted { $0.lexicographicallyPrecedes($1) }
        let values = keys.map { _ in randomValue() }
        for (key, value) in zip(keys, values) { batch.store(key.span, value.span) }
        map.perform(&batch)
        for index in 0..<batch.count {
            guard case .stored(let outcome) = batch.outcome(of: index) else {
                Issue.record("a store came to \(batch.outcome(of: index)), \(seedNote)")
                continue
            }
            note(outcome, keys[index], values[index], for: nil)
        }
    }

    mutating func advance() {
        now += 10
        clock.advance(seconds: 10)
    }

    /// Nothing is lost, nothing is left over, and the map's account is what it has taken of its bound.
    mutating func check(_ host: MapHost) throws {
        let wanted = expected.filter { $0.value.deadline > now }
        let entries = try map.entries()
        #expect(entries.count == wanted.count, seedNote)
        let differs = entries.contains { wanted[$0.key]?.value != $0.value }
        #expect(!differs, seedNote)
        let snapshot = map.snapshot()
        #expect(snapshot.sum(\.refusals) == refusals, seedNote)
        #expect(snapshot.sum(\.inserts) == inserts, seedNote)
        #expect(snapshot.sum(\.updates) == updates, seedNote)
        // What has expired counts until maintenance takes it.
        expectInvariants(snapshot, entries: map.countExact(), seedNote)
        #expect(host.snapshot().allocatedBytes == snapshot.sum(\.allocatedBytes), seedNote)
    }
}

@Suite("Memory refused by the system")
struct MemoryRefusalTests {
    /// Refuses this thread `share` of 65,536 requests while `body` runs.
    private static func refusing(_ share: UInt32, seed: UInt64, _ body: () throws -> Void) rethrows {
        mapwatch_refuse_memory(share, seed)
        defer { mapwatch_refuse_memory(0, 0) }
        try body()
    }

    @Test(
        "a map that is refused memory at random loses nothing, and goes on when there is memory again",
        arguments: MapShape.all, [4_000, 16_000, 60_000] as [UInt32])
    func losesNothing(shape: MapShape, share: UInt32) throws {
        let clock = ManualClock()
        let host = MapHost(nanoseconds: clock.nanoseconds) { 0 }
        let name = try MapName("m")
        _ = try host.create(name, MapOptions(strategy: shape.strategy, shards: shape.shards, reads: shape.reads))
        do {
            var model = RefusedModel(
                map: try host.mapForWriting(name), clock: clock, generator: SeededGenerator(seed: TestSeed.value))
            for phase in 0..<9 {
                // Grow, churn, shrink; twice with refusals, then with memory for all.
                let storeShare = [70, 45, 10][phase % 3]
                let before = model.refusals
                Self.refusing(phase < 6 ? share : 0, seed: TestSeed.value &+ UInt64(phase)) {
                    for _ in 0..<1_500 { model.step(storeShare: storeShare) }
                    model.advance()
                }
                if phase < 3 && phase % 3 == 0 { #expect(model.refusals > before, seedNote) }
                if phase >= 6 { #expect(model.refusals == before, seedNote) }
                try model.check(host)
            }
            _ = model.map.deleteMatching(prefix: [])
            clock.advance(seconds: 1_000)
            while model.map.maintain(budget: 1_000) > 0 {}
            expectInvariants(model.map.snapshot(), entries: 0, seedNote)
        }
        #expect(host.drop(name))
        #expect(host.snapshot().allocatedBytes == 0, seedNote)
    }

    @Test("a typed map that is refused memory at random loses nothing", arguments: TypedModelTests.shapes)
    func typedLosesNothing(shape: MapShape) throws {
        let map = try ShardedMap<String, [Int]>(
            MapName("m"), MapOptions(strategy: shape.strategy, shards: shape.shards))
        var generator = SeededGenerator(seed: TestSeed.value)
        var expected: [String: [Int]] = [:]
        var refusals: UInt64 = 0
        for phase in 0..<9 {
            let storeShare = [80, 50, 10][phase % 3]
            Self.refusing(phase < 6 ? 30_000 : 0, seed: TestSeed.value &+ UInt64(phase)) {
                for number in 0..<4_000 {
                    let key = "key \(Int.random(in: 0..<20_000, using: &generator))"
                    if Int.random(in: 0..<100, using: &generator) < storeShare {
                        let isUpdate = number % 2 == 0
                        let outcome = isUpdate ? map.update(key) { $0 = [number] } : .stored(map.store(key, [number]))
                        if outcome == .stored(.refused) { refusals += 1 } else { expected[key] = [number] }
                    } else {
                        #expect(map.delete(key) == expected.removeValue(forKey: key), seedNote)
                    }
                }
            }
            #expect(map.snapshot().sum(\.refusals) == refusals, seedNote)
            #expect(Dictionary(uniqueKeysWithValues: map.entries(.snapshot).map { ($0, $1) }) == expected, seedNote)
            expectInvariants(map.snapshot(), entries: expected.count, seedNote)
        }
        #expect(refusals > 0, seedNote)
    }

    // Without memory a table stays as long as it was; the shorter one that it gets later must have room for what comes
    // while the long one is walked.
    @Test("a table that could not shrink in time takes what comes while it does", arguments: MapShape.oneEach)
    func lateShrinking(shape: MapShape) throws {
        let map = try MapShape(strategy: shape.strategy, shards: shape.shards.map { _ in 1 }, reads: shape.reads).make()
        for number in 0..<50_000 { map.store(key(number), [1]) }
        Self.refusing(65_536, seed: 0) {
            for number in 3..<50_000 { map.delete(key(number)) }
            #expect(map.store([1], [UInt8](repeating: 1, count: 5_000)) == .refused)
        }
        let long = map.snapshot().sum(\.capacity)
        #expect(long >= 50_000)
        map.delete(key(2))
        #expect(map.snapshot().sum(\.capacity) < long / 2)
        for number in 2..<2_000 {
            #expect(map.store(key(number), [2]) == .inserted)
            // The array that is filled never runs over.
            let snapshot = map.snapshot()
            guard snapshot.sum(\.entries) * 5 <= snapshot.sum(\.capacity) * 4 else {
                Issue.record("\(snapshot.sum(\.entries)) entries in \(snapshot.sum(\.capacity)) slots")
                return
            }
        }
        for number in 0..<2_000 { #expect(map.load(key(number)) == (number < 2 ? [1] : [2])) }
    }

    @Test("a typed table that could not shrink in time takes what comes while it does")
    func typedLateShrinking() throws {
        let map = ShardedMap<Int, Int>("m", shards: 1)
        for number in 0..<50_000 { map.store(number, 1) }
        Self.refusing(65_536, seed: 0) {
            for number in 3..<50_000 { map.delete(number) }
        }
        map.delete(2)
        for number in 2..<2_000 {
            #expect(map.store(number, 2) == .inserted)
            let snapshot = map.snapshot()
            guard snapshot.sum(\.entries) * 4 <= snapshot.sum(\.capacity) * 3 else {
                Issue.record("\(snapshot.sum(\.entries)) entries in \(snapshot.sum(\.capacity)) slots")
                return
            }
        }
        for number in 0..<2_000 { #expect(map[number] == (number < 2 ? 1 : 2)) }
    }
}
