import InstrumentedMaps
import TestSupport
import Testing

@Suite("Live iteration")
struct LiveIteratorTests {
    @Test("a live walk shows each value as it is when its turn comes", arguments: MapShape.all)
    func seesLaterChanges(shape: MapShape) throws {
        let map = try shape.make()
        for number in 0..<500 { map.store(key(number), [0]) }
        let iterator = try map.iterate(.live, prefix: [], maximumBytes: 0)
        let first = iterator.next(limit: 10)
        #expect(first.allSatisfy { $0.value == [0] })
        for number in 0..<500 { map.store(key(number), [1]) }
        let second = iterator.next(limit: 10)
        #expect(second.allSatisfy { $0.value == [1] })
        #expect(map.deleteMatching(prefix: []) == 500)
        #expect(iterator.next(limit: 1_000).isEmpty)
        #expect(iterator.isAtEnd)
    }

    @Test(
        "growth and deletes between two pages make a live walk neither omit nor repeat a key", arguments: MapShape.all)
    func survivesGrowth(shape: MapShape) throws {
        let map = try shape.make()
        for number in 0..<1_000 { map.store(key(number), []) }
        let capacity = map.snapshot().sum(\.capacity)
        let iterator = try map.iterate(.live, prefix: [], maximumBytes: 0)
        var seen = iterator.next(limit: 100).map(\.key)
        // 500…999 go, unless seen; 1 000…9 999 come.
        for number in 500..<1_000 { map.delete(key(number)) }
        for number in 1_000..<10_000 { map.store(key(number), []) }
        #expect(map.snapshot().sum(\.capacity) > capacity)
        while !iterator.isAtEnd { seen += iterator.next(limit: 100).map(\.key) }
        #expect(Set(seen).count == seen.count)
        #expect(Set(seen).isSuperset(of: (0..<500).map(key)))
        let gone = seen.dropFirst(100).filter { Set((500..<1_000).map(key)).contains($0) }
        #expect(gone.isEmpty)
    }

    @Test(
        "a live walk omits no key that is there throughout, while others insert, delete and force growth",
        arguments: MapShape.all)
    func omitsNothingUnderChurn(shape: MapShape) throws {
        let map = try shape.make()
        for number in 0..<300 { map.store(key(number), key(number)) }
        let stable = Set((0..<300).map(key))
        let churners = ThreadGroup()
        let done = Flag()
        let operations = Tally()
        for thread in 0..<3 {
            churners.start {
                var round = 0
                while !done.isRaised {
                    // Each round is larger than the last, so that tables grow while they are walked.
                    let keys = (0..<min(8_000, 200 << round)).map { Array("churn-\(thread)-\($0)".utf8) }
                    for key in keys where !done.isRaised {
                        map.store(key, [1])
                        operations.add()
                    }
                    for key in keys where !done.isRaised {
                        map.delete(key)
                        operations.add()
                    }
                    round = min(round + 1, 6)
                }
            }
        }
        for _ in 0..<3 {
            let iterator = try map.iterate(.live, prefix: [], maximumBytes: 0)
            var seen: [[UInt8]] = []
            while !iterator.isAtEnd {
                seen += iterator.next(limit: 400).map(\.key)
                // Between two pages the others get on with it.
                let reached = operations.value
                #expect(eventually { operations.value > reached + 50 })
            }
            #expect(Set(seen).count == seen.count)
            #expect(Set(seen).isSuperset(of: stable))
        }
        done.raise()
        churners.join()
        let left = try map.entries(prefix: Array("key-".utf8))
        #expect(left.count == 300)
    }
}
