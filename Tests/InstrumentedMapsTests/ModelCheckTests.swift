import InstrumentedMaps
import TestSupport
import Testing

/// A map against the standard library's dictionary, with a ledger of everything that was done.
private struct Model {
    let map: any InstrumentedMap
    let keys: [[UInt8]]
    var expected: [[UInt8]: [UInt8]] = [:]
    var ledger = Ledger()
    var generator: SeededGenerator
    /// Of a hundred operations, how many store and how many delete; of the others half load, and half read and write in
    /// one step.
    let storeShare: Int
    let deleteShare: Int
    let note: Comment

    mutating func step() {
        let key = keys[Int.random(in: 0..<keys.count, using: &generator)]
        switch Int.random(in: 0..<100, using: &generator) {
        case ..<storeShare: store(key)
        case ..<(storeShare + deleteShare): delete(key)
        default: if Bool.random(using: &generator) { load(key) } else { modify(key) }
        }
    }

    /// One of those that read and write in one step.
    mutating func modify(_ key: [UInt8]) {
        let current = expected[key]
        let value = randomValue()
        switch Int.random(in: 0..<5, using: &generator) {
        case 0:
            #expect(map.insertIfAbsent(key, value) == (current == nil), note)
            if current == nil { ledger.note(.inserted) }
            expected[key] = current ?? value
        case 1:
            #expect(map.getOrInsert(key) { value } == current ?? value, note)
            if current == nil { ledger.note(.inserted) }
            ledger.noteLoad(hit: current != nil)
            expected[key] = current ?? value
        case 2:
            let isWanted = Bool.random(using: &generator)
            #expect(map.remove(key) { _ in isWanted } == (current != nil && isWanted), note)
            if current == nil || isWanted { ledger.noteDelete(hit: current != nil) }
            if isWanted { expected[key] = nil }
        case 3: update(key, to: nil)
        default: update(key, to: value)
        }
    }

    mutating func update(_ key: [UInt8], to value: [UInt8]?) {
        let current = expected[key]
        var seen: [UInt8]?
        let outcome = map.update(key) {
            seen = $0
            $0 = value
        }
        if seen != current { Issue.record("an update of \(key.prefix(32)) saw something else, \(note)") }
        expected[key] = value
        switch (current, value) {
        case (nil, nil): #expect(outcome == .kept, note)
        case (nil, _?):
            #expect(outcome == .stored(.inserted), note)
            ledger.note(.inserted)
        case (_?, nil):
            #expect(outcome == .removed, note)
            ledger.noteDelete(hit: true)
        case (let old?, let new?):
            #expect(outcome == (old == new ? .kept : .stored(.updated)), note)
            if old != new { ledger.note(.updated) }
        }
    }

    mutating func store(_ key: [UInt8]) {
        let value = randomValue()
        let outcome = map.store(key, value)
        #expect(outcome == (expected[key] == nil ? .inserted : .updated), note)
        ledger.note(expected.updateValue(value, forKey: key) == nil ? .inserted : .updated)
    }

    mutating func delete(_ key: [UInt8]) {
        let isThere = expected.removeValue(forKey: key) != nil
        #expect(map.delete(key) == isThere, note)
        ledger.noteDelete(hit: isThere)
    }

    mutating func load(_ key: [UInt8]) {
        let value = Bool.random(using: &generator) ? map.load(key) : loadIntoBuffer(key)
        if value != expected[key] { Issue.record("load of \(key.prefix(32)) differs, \(note)") }
        ledger.noteLoad(hit: expected[key] != nil)
    }

    /// The value by way of a buffer that may be too short for it: then nothing may have been written there.
    mutating func loadIntoBuffer(_ key: [UInt8]) -> [UInt8]? {
        // As often as not of just the value's length, which goes a way of its own.
        let anyLength = Int.random(in: 0...300, using: &generator)
        let room = Bool.random(using: &generator) ? expected[key]?.count ?? anyLength : anyLength
        var buffer = [UInt8](repeating: 0xa5, count: room)
        var output = buffer.mutableSpan
        guard let length = map.load(key.span, into: &output) else { return nil }
        guard length <= buffer.count else {
            #expect(buffer.allSatisfy { $0 == 0xa5 }, note)
            #expect(length == expected[key]?.count, note)
            return expected[key]
        }
        #expect(buffer[length...].allSatisfy { $0 == 0xa5 }, note)
        return Array(buffer[..<length])
    }

    /// Removes all keys with the first byte of a random one.
    mutating func deleteMatching() {
        let first = keys[Int.random(in: 0..<keys.count, using: &generator)][0]
        let matching = expected.keys.filter { $0[0] == first }
        #expect(map.deleteMatching(prefix: [first]) == matching.count, note)
        for key in matching { expected[key] = nil }
        ledger.deletes += UInt64(matching.count)
    }

    mutating func iterate(_ kind: IterationKind) throws {
        let first = keys[Int.random(in: 0..<keys.count, using: &generator)][0]
        let prefix = Bool.random(using: &generator) ? [] : [first]
        let pageSize = Int.random(in: 1...50, using: &generator)
        let entries = try map.entries(kind, prefix: prefix, pageSize: pageSize)
        ledger.iterations += UInt64(map.options.shards)
        let wanted = expected.filter { $0.key.starts(with: prefix) }
        #expect(entries.count == wanted.count, note)
        let differs = entries.contains { wanted[$0.key] != $0.value }
        #expect(!differs, note)
        #expect(Set(entries.map(\.key)).count == entries.count, note)
    }

    /// Mostly small, sometimes empty, now and then of any size class up to 1 MiB.
    mutating func randomValue() -> [UInt8] {
        let count =
            switch Int.random(in: 0..<400, using: &generator) {
            case 0: 1 << 20
            case 1...4: 1 << Int.random(in: 10...19, using: &generator)
            case 5...60: 0
            case 61...120: Int.random(in: 100...2_000, using: &generator)
            default: Int.random(in: 1...64, using: &generator)
            }
        return [UInt8](repeating: UInt8.random(in: 0...255, using: &generator), count: count)
    }
}

@Suite("Model check")
struct ModelCheckTests {
    /// Keys that have gone wrong in other maps: zeros, invalid UTF-8, equal texts, the shortest, the longest.
    private static let awkwardKeys: [[UInt8]] = [
        [0], [0, 0], [0, 1, 0], [0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xef, 0xbf, 0xbd],
        Array("e\u{301}".utf8), Array("\u{e9}".utf8), Array("%00".utf8), [0x61], [0x61, 0],
        [UInt8](repeating: 0, count: 1024), [UInt8](repeating: 0xff, count: 1024),
        [UInt8](repeating: 0xff, count: 1023) + [0xfe],
    ]

    private static func keys(_ count: Int, _ generator: inout SeededGenerator) -> [[UInt8]] {
        awkwardKeys
            + (0..<count).map { number in
                let length = Int.random(in: 0...40, using: &generator)
                return [UInt8(truncatingIfNeeded: number)]
                    + (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            }
    }

    @Test(
        "a map does what a dictionary does, and its counters are the ledger of it",
        arguments: MapShape.all, [5, 2_000])
    func agreesWithDictionary(shape: MapShape, poolSize: Int) throws {
        var generator = SeededGenerator(seed: TestSeed.value)
        let keys = Self.keys(poolSize, &generator)
        let map = try shape.make()
        var model = Model(
            map: map, keys: keys, generator: generator, storeShare: 40, deleteShare: 30,
            note: "\(TestSeed.note)")
        for phase in 0..<6 {
            // Grow, churn, shrink, and again.
            let (storeShare, deleteShare) = [(80, 5), (40, 40), (5, 80)][phase % 3]
            model = Model(
                map: map, keys: keys, expected: model.expected, ledger: model.ledger, generator: model.generator,
                storeShare: storeShare, deleteShare: deleteShare, note: model.note)
            for _ in 0..<1_500 { model.step() }
            model.deleteMatching()
            try model.iterate(phase % 2 == 0 ? .snapshot : .live)
            let snapshot = map.snapshot()
            #expect(Ledger(of: snapshot) == model.ledger, model.note)
            expectInvariants(snapshot, entries: model.expected.count, model.note)
        }
    }

    @Test("a value that changes its size class keeps its bytes and its key's neighbours", arguments: MapShape.all)
    func valuesGrowAndShrink(shape: MapShape) throws {
        let map = try shape.make()
        for number in 0..<50 { map.store(key(number), key(number)) }
        let sizes = (0...20).map { 1 << $0 } + [0, 1_000_000, 0] + (0...20).reversed().map { (1 << $0) - 1 }
        for (index, size) in sizes.enumerated() {
            let value = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: size)
            #expect(map.store(key(7), value) == .updated)
            #expect(map.load(key(7)) == value, "size \(size)")
        }
        for number in 0..<50 where number != 7 { #expect(map.load(key(number)) == key(number)) }
        #expect(map.snapshot().sum(\.updates) == UInt64(sizes.count))
    }

    @Test("keys are one only when all their bytes are equal", arguments: MapShape.all)
    func keysAreBytes(shape: MapShape) throws {
        let map = try shape.make()
        for (index, key) in Self.awkwardKeys.enumerated() {
            #expect(map.store(key, [UInt8(index)]) == .inserted)
        }
        for (index, key) in Self.awkwardKeys.enumerated() { #expect(map.load(key) == [UInt8(index)]) }
        for key in Self.awkwardKeys { #expect(map.delete(key)) }
        #expect(map.snapshot().sum(\.entries) == 0)
    }

    @Test("a snapshot of counters takes no lock", arguments: MapShape.all)
    func snapshotTakesNoLock(shape: MapShape) throws {
        let map = try shape.make()
        map.store(key(1), key(1))
        let before = map.snapshot()
        let after = map.snapshot()
        #expect(before.shards == after.shards)
        #expect(after.sum(\.lockAcquired) == 1)
    }
}
