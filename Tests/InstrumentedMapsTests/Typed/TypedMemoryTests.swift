import InstrumentedMaps
import Synchronization
import TestSupport
import Testing

/// Counts the objects that live.
private final class Tracked: Sendable {
    static func counting(_ live: Atomic<Int>.Box) -> Tracked { Tracked(live) }

    private let live: Atomic<Int>.Box

    private init(_ live: Atomic<Int>.Box) {
        self.live = live
        live.cell.add(1, ordering: .relaxed)
    }

    deinit { live.cell.subtract(1, ordering: .relaxed) }
}

extension Atomic where Value == Int {
    fileprivate final class Box: Sendable {
        let cell = Atomic<Int>(0)
        var value: Int { cell.load(ordering: .relaxed) }
    }
}

/// A key that is an object, equal by its number.
private final class ObjectKey: Hashable, Sendable {
    let number: Int
    private let tracked: Tracked

    init(_ number: Int, _ live: Atomic<Int>.Box) {
        self.number = number
        tracked = .counting(live)
    }

    static func == (left: ObjectKey, right: ObjectKey) -> Bool { left.number == right.number }

    func hash(into hasher: inout Hasher) { hasher.combine(number) }
}

@Suite("Memory of typed maps")
struct TypedMemoryTests {
    @Test("every key and value is released once: replaced, deleted, updated, refused, or dropped with the map")
    func releases() throws {
        let (keys, values) = (Atomic<Int>.Box(), Atomic<Int>.Box())
        do {
            let map = ShardedMap<ObjectKey, Tracked>("m", shards: 3)
            for number in 0..<5_000 { map.store(ObjectKey(number, keys), .counting(values)) }
            #expect((keys.value, values.value) == (5_000, 5_000))
            for number in 0..<1_000 { map.store(ObjectKey(number, keys), .counting(values)) }
            for number in 0..<1_000 { map.update(ObjectKey(number, keys)) { $0 = .counting(values) } }
            for number in 1_000..<2_000 { map.update(ObjectKey(number, keys)) { $0 = nil } }
            for number in 2_000..<3_000 { map.delete(ObjectKey(number, keys)) }
            for number in 0..<4_000 { map.insertIfAbsent(ObjectKey(number, keys), .counting(values)) }
            for number in 0..<1_000 { map.remove(ObjectKey(number, keys)) { _ in number % 2 == 0 } }
            #expect((keys.value, values.value) == (4_500, 4_500))
            #expect(map.entries(.snapshot).reduce(0) { count, _ in count + 1 } == 4_500)
            while map.maintain(budget: 10_000) > 0 {}
            #expect((keys.value, values.value) == (4_500, 4_500))
        }
        #expect((keys.value, values.value) == (0, 0))
    }

    @Test("a value's deinit may use the map, for nothing is released under a lock")
    func deinitUsesMap() {
        final class Chatty: Sendable {
            let map: ShardedMap<Int, Chatty?>

            init(_ map: ShardedMap<Int, Chatty?>) { self.map = map }

            deinit { map.store(0, nil) }
        }
        let map = ShardedMap<Int, Chatty?>("m", shards: 1)
        map.store(1, Chatty(map))
        map.store(1, Chatty(map))
        map.delete(1)
        map.store(1, Chatty(map))
        map.remove(1) { _ in true }
        #expect(map.count == 1)
    }

    @Test(
        "what keys and values hold elsewhere counts as said, and max_bytes refuses what is over it",
        arguments: MapShape.oneEach.filter(\.isTyped))
    func heapBytes(shape: MapShape) throws {
        let map = try ShardedMap<Int, [UInt8]>(
            MapName("m"), MapOptions(strategy: shape.strategy, shards: shape.shards, maximumBytes: 1 << 20),
            heapBytes: { _, value in value.count })
        map.store(1, [UInt8](repeating: 1, count: 1_000))
        #expect(map.snapshot().sum(\.liveBytes) == 1_024)
        map.store(1, [UInt8](repeating: 1, count: 10))
        #expect(map.snapshot().sum(\.liveBytes) == 34)
        map.update(1) { $0?.append(2) }
        #expect(map.snapshot().sum(\.liveBytes) == 35)
        #expect(map.store(2, [UInt8](repeating: 1, count: 1 << 20)) == .refused)
        #expect(!map.insertIfAbsent(2, [UInt8](repeating: 1, count: 1 << 20)))
        #expect(map.update(1) { $0?.append(contentsOf: [UInt8](repeating: 0, count: 1 << 20)) } == .stored(.refused))
        #expect(map[1]?.count == 11)
        #expect(map.snapshot().sum(\.refusals) == 3)
        var stored = 0
        while map.store(100 + stored, [UInt8](repeating: 1, count: 1_000)) != .refused { stored += 1 }
        #expect((500..<1_050).contains(stored))
        #expect(map.snapshot().sum(\.allocatedBytes) <= 1 << 20)
        #expect(map[100]?.count == 1_000)
        #expect(map.deleteMatching { _, _ in true } == stored + 1)
        #expect(map.snapshot().sum(\.liveBytes) == 0)
    }

    @Test("an error in an update leaves what it had done, and the map usable")
    func throwingUpdate() throws {
        struct Failure: Error {}
        let map = ShardedMap<String, Int>("m", shards: 1)
        map.store("a", 1)
        #expect(throws: Failure.self) {
            try map.update("a") { value throws(Failure) in
                value = 2
                throw Failure()
            }
        }
        #expect(map["a"] == 2)
        #expect(throws: Failure.self) { try map.getOrInsert("b") { () throws(Failure) in throw Failure() } }
        #expect(!map.contains("b"))
    }
}
