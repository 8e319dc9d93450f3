import Synchronization
import Testing

@testable import InstrumentedMaps

@Suite("Open iterators")
struct OpenIteratorsTests {
    private func key(_ number: Int) -> [UInt8] { Array("key:\(number)".utf8) }

    private func deletesDuringIteration(_ map: any InstrumentedMap) -> UInt64 {
        map.snapshot().sum(\.deletesDuringIteration)
    }

    @Test("ten deletes beside an open iterator count ten, and none once it is let go", arguments: MapShape.all)
    func letGo(shape: MapShape) throws {
        let map = try shape.make()
        for number in 0..<100 { map.store(key(number), []) }
        for number in 0..<5 { map.delete(key(number)) }
        var iterator: (any MapIterator)? = try map.iterate(.live, prefix: [], maximumBytes: 0)
        #expect(map.snapshot().openIterators == 1)
        for number in 5..<15 { map.delete(key(number)) }
        // A miss deletes nothing.
        map.delete(key(5))
        #expect(iterator?.isAtEnd == false)
        iterator = nil
        #expect(map.snapshot().openIterators == 0)
        for number in 15..<25 { map.delete(key(number)) }
        #expect(deletesDuringIteration(map) == 10)
        #expect(map.snapshot().sum(\.deletes) == 25)
    }

    @Test("an iterator is closed with its last entry, though somebody still holds it", arguments: MapShape.all)
    func end(shape: MapShape) throws {
        let map = try shape.make()
        for number in 0..<100 { map.store(key(number), []) }
        let iterator = try map.iterate(.live, prefix: [], maximumBytes: 0)
        #expect(iterator.next(limit: 99, maximumBytes: .max).count == 99)
        #expect(map.snapshot().openIterators == 1)
        #expect(iterator.next(limit: 1, maximumBytes: .max).count == 1)
        #expect(map.snapshot().openIterators == 0)
        map.delete(key(1))
        #expect(deletesDuringIteration(map) == 0)
        _ = iterator.next(limit: 1, maximumBytes: .max)
        #expect(map.snapshot().openIterators == 0)
    }

    @Test("removing in one step and deleting by prefix count alike", arguments: MapShape.all)
    func allDeletePaths(shape: MapShape) throws {
        let map = try shape.make()
        for number in 0..<100 { map.store(key(number), []) }
        let iterator = try map.iterate(.live, prefix: [], maximumBytes: 0)
        map.remove(key(0)) { _ in true }
        map.update(key(1)) { $0 = nil }
        #expect(map.deleteMatching(prefix: []) == 98)
        #expect(deletesDuringIteration(map) == 100)
        #expect(!iterator.isAtEnd)
    }

    @Test("a snapshot is no open iterator, and neither is a walk of nothing", arguments: MapShape.all)
    func snapshots(shape: MapShape) throws {
        let map = try shape.make()
        let nothing = try map.iterate(.live, prefix: [], maximumBytes: 0)
        for number in 0..<10 { map.store(key(number), []) }
        let snapshot = try map.iterate(.snapshot, prefix: [], maximumBytes: .max)
        #expect(map.snapshot().openIterators == 0)
        map.delete(key(0))
        #expect(deletesDuringIteration(map) == 0)
        #expect(nothing.isAtEnd)
        #expect(!snapshot.isAtEnd)
    }

    @Test("the age is that of the iterator that has rested longest, and moving starts it anew")
    func age() {
        let now = Atomic<UInt64>(100)
        let iterators = OpenIterators { now.load(ordering: .relaxed) }
        #expect(iterators.sample(now: now.load(ordering: .relaxed)) == (0, 0))
        let first = iterators.open()
        now.store(130, ordering: .relaxed)
        let second = iterators.open()
        now.store(150, ordering: .relaxed)
        #expect(iterators.sample(now: now.load(ordering: .relaxed)) == (2, 50))
        first.move()
        #expect(iterators.sample(now: now.load(ordering: .relaxed)) == (2, 20))
        second.close()
        second.close()
        second.move()
        #expect(iterators.sample(now: now.load(ordering: .relaxed)) == (1, 0))
        now.store(160, ordering: .relaxed)
        #expect(iterators.sample(now: now.load(ordering: .relaxed)) == (1, 10))
        first.close()
        #expect(iterators.sample(now: now.load(ordering: .relaxed)) == (0, 0))
    }
}
