import InstrumentedMaps
import TestSupport
import Testing

private var seedNote: Comment { "\(TestSeed.note)" }

/// A typed map against the standard library's dictionary, with a ledger of everything that was done.
private struct TypedModel {
    let map: ShardedMap<String, [Int]>
    let keys: [String]
    var expected: [String: [Int]] = [:]
    var ledger = Ledger()
    var generator: SeededGenerator

    mutating func step(storeShare: Int, deleteShare: Int) {
        let key = keys[Int.random(in: 0..<keys.count, using: &generator)]
        let value = [Int](repeating: Int.random(in: 0...9, using: &generator), count: 3)
        let current = expected[key]
        switch Int.random(in: 0..<100, using: &generator) {
        case ..<storeShare:
            let outcome = map.store(key, value)
            #expect(outcome == (current == nil ? .inserted : .updated), seedNote)
            ledger.note(outcome)
            expected[key] = value
        case ..<(storeShare + deleteShare):
            #expect(map.delete(key) == current, seedNote)
            ledger.noteDelete(hit: current != nil)
            expected[key] = nil
        default: if Bool.random(using: &generator) { load(key) } else { modify(key, value) }
        }
    }

    private mutating func load(_ key: String) {
        let current = expected[key]
        if Bool.random(using: &generator) {
            #expect(map[key] == current, seedNote)
        } else {
            #expect(map.contains(key) == (current != nil), seedNote)
        }
        ledger.noteLoad(hit: current != nil)
    }

    private mutating func modify(_ key: String, _ value: [Int]) {
        let current = expected[key]
        switch Int.random(in: 0..<5, using: &generator) {
        case 0:
            #expect(map.insertIfAbsent(key, value) == (current == nil), seedNote)
            if current == nil { ledger.note(.inserted) }
            expected[key] = current ?? value
        case 1:
            #expect(map.getOrInsert(key) { value } == current ?? value, seedNote)
            if current == nil { ledger.note(.inserted) }
            ledger.noteLoad(hit: current != nil)
            expected[key] = current ?? value
        case 2:
            let isWanted = Bool.random(using: &generator)
            #expect(map.remove(key) { _ in isWanted } == (isWanted ? current : nil), seedNote)
            if current == nil || isWanted { ledger.noteDelete(hit: current != nil) }
            if isWanted { expected[key] = nil }
        case 3: update(key) { $0 = nil }
        default: update(key) { $0 = ($0 ?? []).suffix(5) + [7] }
        }
    }

    private mutating func update(_ key: String, _ body: (inout [Int]?) -> Void) {
        var value = expected[key]
        body(&value)
        let outcome = map.update(key, body)
        switch (expected[key], value) {
        case (nil, nil): #expect(outcome == .kept, seedNote)
        case (nil, _?):
            #expect(outcome == .stored(.inserted), seedNote)
            ledger.note(.inserted)
        case (_?, nil):
            #expect(outcome == .removed, seedNote)
            ledger.noteDelete(hit: true)
        case (_?, _?):
            #expect(outcome == .stored(.updated), seedNote)
            ledger.note(.updated)
        }
        expected[key] = value
    }

    mutating func deleteMatching() {
        let digit = Int.random(in: 0...9, using: &generator)
        let matching = expected.filter { $0.value.first == digit }
        #expect(map.deleteMatching { _, value in value.first == digit } == matching.count, seedNote)
        for key in matching.keys { expected[key] = nil }
        ledger.deletes += UInt64(matching.count)
    }

    mutating func iterate(_ kind: IterationKind) {
        var seen: [String: [Int]] = [:]
        for (key, value) in map.entries(kind) {
            #expect(seen.updateValue(value, forKey: key) == nil, seedNote)
        }
        #expect(seen == expected, seedNote)
        ledger.iterations += UInt64(map.options.shards)
    }
}

@Suite("Typed maps against a dictionary")
struct TypedModelTests {
    static let shapes = MapShape.all.filter(\.isTyped)

    @Test(
        "a typed map does what a dictionary does, and its counters are the ledger of it", arguments: shapes, [5, 2_000])
    func agreesWithDictionary(shape: MapShape, poolSize: Int) throws {
        let map = try ShardedMap<String, [Int]>(
            MapName("m"), MapOptions(strategy: shape.strategy, shards: shape.shards))
        var generator = SeededGenerator(seed: TestSeed.value)
        // Some inline in the string, some on the heap, some not ASCII.
        let keys = (0..<poolSize).map { number in
            let length = Int.random(in: 0...30, using: &generator)
            return "\(number)" + String(repeating: number % 7 == 0 ? "\u{e9}" : "x", count: length)
        }
        var model = TypedModel(map: map, keys: keys, generator: generator)
        for phase in 0..<6 {
            // Grow, churn, shrink, and again.
            let (storeShare, deleteShare) = [(80, 5), (40, 40), (5, 80)][phase % 3]
            for _ in 0..<3_000 { model.step(storeShare: storeShare, deleteShare: deleteShare) }
            model.deleteMatching()
            model.iterate(phase % 2 == 0 ? .snapshot : .live)
            let snapshot = map.snapshot()
            #expect(Ledger(of: snapshot) == model.ledger, seedNote)
            #expect(map.count == model.expected.count, seedNote)
            expectInvariants(snapshot, entries: model.expected.count, seedNote)
            if phase % 2 == 1 { while map.maintain(budget: 1_000) > 0 {} }
        }
    }

    @Test("no operation moves more than 64 slots, and a table that has emptied gives its memory back")
    func growsAndShrinks() throws {
        let map = ShardedMap<Int, Int>("m", shards: 1)
        for number in 0..<100_000 { map.store(number, number) }
        let full = map.snapshot().sum(\.allocatedBytes)
        for number in 0..<100_000 { #expect(map[number] == number) }
        for number in 0..<99_000 { map.delete(number) }
        while map.maintain(budget: 64) > 0 {}
        let small = map.snapshot()
        #expect(small.sum(\.allocatedBytes) * 10 < full)
        #expect(small.sum(\.liveBytes) == 1_000 * 24)
        for number in 99_000..<100_000 { #expect(map[number] == number) }
    }

    @Test("keys whose hashes all agree are kept apart by ==")
    func clashingKeys() {
        struct Clash: Hashable {
            let number: Int

            func hash(into hasher: inout Hasher) {}
        }
        let map = ShardedMap<Clash, Int>("m", shards: 4)
        for number in 0..<500 { map.store(Clash(number: number), number) }
        #expect((0..<500).allSatisfy { map[Clash(number: $0)] == $0 })
        for number in stride(from: 0, to: 500, by: 2) { #expect(map.delete(Clash(number: number)) == number) }
        #expect((0..<500).allSatisfy { map[Clash(number: $0)] == ($0 % 2 == 0 ? nil : $0) })
    }
}
