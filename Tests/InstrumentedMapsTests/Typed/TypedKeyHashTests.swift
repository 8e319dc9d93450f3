import Testing

@testable import InstrumentedMaps

@Suite("Hashes of texts")
struct TypedKeyHashTests {
    private func hash(_ text: String) -> UInt64? {
        let hash = TypedKeyHash(text, .process)
        return hash.isUsable ? hash.hash.bits : nil
    }

    @Test("every scalar that equals an ASCII text has its hash, and no other scalar is ASCII in its normal form")
    func scalars() {
        let ascii = Set((0..<128).compactMap { Unicode.Scalar($0).map { String(Character($0)) } })
        var found: [String] = []
        for value in UInt32(128)...0x10_ffff {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(Character(scalar))
            guard let index = ascii.firstIndex(of: text) else { continue }
            found.append(text)
            #expect(hash(text) == hash(ascii[index]), "U+\(String(value, radix: 16))")
            #expect(hash("a" + text + "z") == hash("a" + ascii[index] + "z"), "U+\(String(value, radix: 16))")
        }
        #expect(found.count == 3)
    }

    @Test("canonically equal texts are one key")
    func canonicalEquivalence() {
        let equal = [
            ("e\u{301}", "\u{e9}"), ("\u{212b}", "A\u{30a}"), ("\u{212a}\u{301}", "K\u{301}"), ("\u{212a}", "K"),
            ("\u{1100}\u{1161}", "\u{ac00}"), ("q\u{307}\u{323}", "q\u{323}\u{307}"), ("\u{37e}", ";"),
            (String(repeating: "e\u{301}", count: 200), String(repeating: "\u{e9}", count: 200)),
        ]
        let map = ShardedMap<String, Int>("m", shards: 16)
        for (left, right) in equal {
            #expect(hash(left) == hash(right), "\(left)")
            map.store(left, 1)
            #expect(map.delete(right) == 1, "\(left)")
        }
        #expect(map.count == 0)
    }

    @Test("a text and the same text in another buffer have one hash")
    func representations() {
        for count in 0...40 {
            let text = String(repeating: "k", count: count)
            var other = text + "and what is cut off again, so that the buffer is large"
            other.removeLast(other.count - count)
            #expect(hash(text) == hash(other), "\(count) bytes")
        }
    }

    @Test("a text with a run of marks that nobody writes is in no map, and costs linear time")
    func longRunsOfMarks() {
        let map = ShardedMap<String, Int>("m", shards: 2)
        let hostile = "a" + String(repeating: "\u{301}\u{323}", count: 50_000)
        let clock = ContinuousClock()
        let took = clock.measure {
            #expect(map.store(hostile, 1) == .refused)
            #expect(map[hostile] == nil)
            #expect(!map.contains(hostile))
            #expect(map.delete(hostile) == nil)
            #expect(map.update(hostile) { $0 = 2 } == .stored(.refused))
            #expect(!map.insertIfAbsent(hostile, 1))
            #expect(map.getOrInsert(hostile) { 3 } == 3)
            #expect(map.remove(hostile) { _ in true } == nil)
        }
        // To normalise it once takes seconds.
        #expect(took < .seconds(1))
        let snapshot = map.snapshot()
        #expect(snapshot.sum(\.refusals) == 4)
        #expect(snapshot.sum(\.loadMisses) == 3)
        #expect(snapshot.sum(\.deleteMisses) == 2)
        #expect(map.count == 0)
        let long = String(repeating: "e\u{301}\u{323}", count: 50_000)
        #expect(map.store(long, 1) == .inserted)
        #expect(map[long] == 1)
    }
}
