import InstrumentedMaps
import TestSupport
import Testing

/// What is special about maps whose readers take no lock; all else is tested with every other map.
@Suite("Optimistic reads")
struct OptimisticReadTests {
    private static let shape = MapShape(strategy: .sharded, shards: 1, reads: .optimistic)

    @Test("a load takes no lock, and counts as a load or a miss and as an optimistic read")
    func takesNoLock() throws {
        let map = try Self.shape.make()
        map.store([1], [7])
        for _ in 0..<100 { #expect(map.load([1]) == [7]) }
        for _ in 0..<10 { #expect(map.load([2]) == nil) }
        let snapshot = map.snapshot()
        #expect(snapshot.sum(\.lockAcquired) == 1)
        #expect(snapshot.sum(\.loads) == 100)
        #expect(snapshot.sum(\.loadMisses) == 10)
        #expect(snapshot.sum(\.optimisticReads) == 110)
        #expect(snapshot.sum(\.readRetries) == 0)
    }

    @Test("a load under the lock is none of them")
    func countsLockedLoadsApart() throws {
        let map = try Self.shape.make()
        #expect(map.getOrInsert([1]) { [7] } == [7])
        #expect(map.getOrInsert([1]) { [8] } == [7])
        let snapshot = map.snapshot()
        #expect(snapshot.sum(\.loads) == 1)
        #expect(snapshot.sum(\.loadMisses) == 1)
        #expect(snapshot.sum(\.optimisticReads) == 0)
    }

    @Test("a reader loads while a writer stays in its critical section")
    func readsBesideAWriter() throws {
        let map = try Self.shape.make()
        map.store([1], [7])
        let (entered, leaving) = (Flag(), Flag())
        let writer = ThreadGroup()
        writer.start {
            map.modify([1].span, countingLoad: false) { _ in
                entered.raise()
                _ = eventually { leaving.isRaised }
                return .store([8])
            }
        }
        #expect(eventually { entered.isRaised })
        #expect(map.load([1]) == [7])
        #expect(map.load([2]) == nil)
        leaving.raise()
        writer.join()
        #expect(map.load([1]) == [8])
        #expect(map.snapshot().sum(\.lockContended) == 0)
    }

    @Test("readers that meet writers get whole values, whatever grows, shrinks and moves, and count each load once")
    func readersAndWriters() throws {
        let map = try Self.shape.make()
        let done = Flag()
        let (loads, torn) = (Tally(), Tally())
        let readers = ThreadGroup()
        for thread in 0..<6 {
            readers.start {
                var generator = SeededGenerator(seed: TestSeed.value &+ UInt64(thread))
                var (count, broken) = (0, 0)
                while !done.isRaised || count < 1_000 {
                    let number = UInt8.random(in: 0..<200, using: &generator)
                    // Every byte of a value is that of its key.
                    if let value = map.load([number]), value.contains(where: { $0 != number }) { broken += 1 }
                    count += 1
                }
                loads.add(count)
                torn.add(broken)
            }
        }
        ThreadGroup.run(2) { thread in
            var generator = SeededGenerator(seed: TestSeed.value &+ 100 &+ UInt64(thread))
            for step in 0..<30_000 {
                let number = UInt8.random(in: 0..<200, using: &generator)
                // Fills and drains in turn.
                if Int.random(in: 0..<100, using: &generator) < (step / 3_000 % 2 == 0 ? 85 : 15) {
                    let count = step % 200 == 0 ? 5_000 : Int.random(in: 0..<300, using: &generator)
                    map.store([number], [UInt8](repeating: number, count: count))
                } else {
                    map.delete([number])
                }
                if step % 50 == 0 { _ = map.maintain(budget: 64) }
            }
        }
        done.raise()
        readers.join()
        let snapshot = map.snapshot()
        #expect(torn.value == 0, "\(TestSeed.note)")
        #expect(snapshot.sum(\.loads) + snapshot.sum(\.loadMisses) == UInt64(loads.value))
        #expect(snapshot.sum(\.optimisticReads) <= UInt64(loads.value))
        #expect(snapshot.sum(\.optimisticReads) > UInt64(loads.value) / 2)
    }
}
