import Synchronization
import TestSupport
import Testing

@testable import InstrumentedMaps

@Suite("Deletion guard")
struct DeletionGuardTests {
    private func map(_ shape: MapShape, _ deletionGuard: DeletionGuard) throws -> any InstrumentedMap {
        let host = MapHost { 0 }
        let options = try MapOptions(
            strategy: shape.strategy, shards: shape.shards, reads: shape.reads, deletionGuard: deletionGuard)
        _ = try host.create(MapName("m"), options)
        let map = try #require(host.map(MapName("m")))
        for number in 0..<300 { map.store(key(number), key(number)) }
        return map
    }

    @Test("deny refuses every way to delete while an iterator is open, and changes nothing", arguments: MapShape.all)
    func deny(shape: MapShape) throws {
        let map = try map(shape, .deny)
        let iterator = try map.iterate(.live, prefix: [], maximumBytes: 0)
        #expect(iterator.next(limit: 10).count == 10)
        #expect(throws: DeletionRefused.self) { try map.deleteGuarded(key(0)) }
        // The answer is the same for an absent key: whoever deletes need not know what is there.
        #expect(throws: DeletionRefused.self) { try map.deleteGuarded(key(1_000)) }
        #expect(throws: DeletionRefused.self) { try map.removeGuarded(key(1).span) { _ in true } }
        #expect(throws: DeletionRefused.self) { try map.deleteMatchingGuarded(prefix: []) }
        #expect(map.update(key(2)) { $0 = nil } == .removalRefused)
        var batch = MapBatch()
        batch.delete(key(3).span)
        batch.store(key(4).span, [9].span)
        map.perform(&batch)
        #expect(batch.outcome(of: 0) == .removalRefused)
        #expect(batch.outcome(of: 1) == .stored(.updated))
        // A condition that does not hold deletes nothing, so nothing is refused.
        #expect(try !map.removeGuarded(key(1).span) { _ in false })
        let before = map.snapshot()
        #expect(before.sum(\.entries) == 300)
        #expect(before.sum(\.deletes) == 0)
        #expect(before.sum(\.deleteMisses) == 0)
        #expect(before.sum(\.guardRefusals) == 6)
        #expect(iterator.next(limit: .max).count == 290)
        #expect(try map.deleteGuarded(key(0)))
        #expect(try map.deleteMatchingGuarded(prefix: []) == 299)
        #expect(map.snapshot().sum(\.guardRefusals) == 6)
    }

    @Test("the refusal names the open iterators, the oldest first, and what to do")
    func text() throws {
        let map = try map(MapShape(strategy: .sharded, shards: 1), .deny)
        let iterators = try (0..<9).map { _ in try map.iterate(.live, prefix: [], maximumBytes: 0) }
        let refusal = map.refusal()
        #expect(refusal.iterators.map(\.number) == Array(1...9))
        let text = refusal.description
        #expect(
            text.hasPrefix(
                "guard \"deny\" of map \"m\" refuses deletes while a live iterator is open (no. 1, open for 0 s"))
        #expect(text.contains("no. 8, open for 0 s and at rest for 0 s; 1 more)"))
        #expect(text.hasSuffix("end it, or wait until its lease runs out; nothing was deleted"))
        #expect(
            DeletionRefused(map: map.name, iterators: [], deleted: 7).description.hasSuffix(
                "7 entries had been deleted before"))
        withExtendedLifetime(iterators) {}
    }

    @Test("a sweep under way is refused from the moment that an iterator opens, and says what had gone")
    func denyMidway() throws {
        let map = try map(MapShape(strategy: .sharded, shards: 16), .deny)
        var iterator: (any MapIterator)?
        var seen = 0
        let refusal = #expect(throws: DeletionRefused.self) {
            try map.deleteMatchingGuarded { _ in
                seen += 1
                // Half way through: from another thread, since the predicate runs under a lock.
                if seen == 150 {
                    let opened = LockedIterator()
                    ThreadGroup.run(1) { _ in opened.open(of: map, prefix: [0xff]) }
                    iterator = opened.iterator
                }
                return true
            }
        }
        let left = map.snapshot().sum(\.entries)
        #expect(refusal?.deleted == 300 - Int(left))
        #expect(left > 0)
        withExtendedLifetime(iterator) {}
    }

    @Test("a plain delete that the guard refuses ends the program instead of passing for a miss")
    func plainDeleteTraps() async {
        await #expect(processExitsWith: .failure) {
            let host = MapHost { 0 }
            _ = try host.create(MapName("m"), MapOptions(deletionGuard: .deny))
            let map = try #require(host.map(MapName("m")))
            map.store([1], [1])
            let iterator = try map.iterate(.live, prefix: [], maximumBytes: 0)
            map.delete([1])
            withExtendedLifetime(iterator) {}
        }
    }

    @Test("stop_iteration lets the delete go on and ends the iterators, which say why", arguments: MapShape.all)
    func stop(shape: MapShape) throws {
        let map = try map(shape, .stopIteration)
        let first = try map.iterate(.live, prefix: [], maximumBytes: 0)
        let second = try map.iterate(.live, prefix: [], maximumBytes: 0)
        #expect(first.next(limit: 10).count == 10)
        // What deletes nothing stops nobody.
        #expect(!map.delete(key(1_000)))
        #expect(map.store(key(1), [2]) == .updated)
        #expect(first.stop == nil)
        #expect(map.delete(key(0)))
        for iterator in [first, second] {
            #expect(iterator.stop == .deletion)
            #expect(iterator.isAtEnd)
            #expect(iterator.next(limit: 10).isEmpty)
        }
        let snapshot = map.snapshot()
        #expect(snapshot.openIterators == 0)
        #expect(snapshot.abortedIterators[.deletion] == 2)
        #expect(snapshot.sum(\.deletesDuringIteration) == 1)
        #expect(snapshot.sum(\.guardRefusals) == 0)
        let third = try map.iterate(.live, prefix: [], maximumBytes: 0)
        #expect(third.next(limit: .max).count == 299)
        #expect(third.stop == nil)
        #expect(third.isAtEnd)
        #expect(map.snapshot().abortedIterators[.deletion] == 2)
    }

    @Test("a snapshot is no business of the guard", arguments: DeletionGuard.allCases)
    func snapshots(deletionGuard: DeletionGuard) throws {
        let map = try map(MapShape(strategy: .sharded, shards: 3), deletionGuard)
        let snapshot = try map.iterate(.snapshot, prefix: [], maximumBytes: 1 << 20)
        #expect(try map.deleteMatchingGuarded(prefix: []) == 300)
        #expect(snapshot.next(limit: .max).count == 300)
        #expect(snapshot.stop == nil)
    }

    @Test(
        "expiry goes on under every guard: an entry whose time is over is no iterator's",
        arguments: DeletionGuard.allCases)
    func expiry(deletionGuard: DeletionGuard) throws {
        let now = Atomic<UInt64>(1_000_000_000)
        let map = ExclusiveGuard.makeMap(
            name: try MapName("m"), options: try MapOptions(shards: 1, ttlSeconds: 1, deletionGuard: deletionGuard),
            incarnation: 1, createdAt: 0, nanoseconds: { now.load(ordering: .relaxed) })
        for number in 0..<100 { map.store(key(number), []) }
        let iterator = try map.iterate(.live, prefix: [], maximumBytes: 0)
        now.store(10_000_000_000, ordering: .relaxed)
        while map.maintain(budget: .max) > 0 {}
        #expect(map.snapshot().sum(\.entries) == 0)
        #expect(iterator.stop == nil)
        #expect(iterator.next(limit: .max).isEmpty)
    }

    @Test("a lease that runs out is counted as an iterator that did not come to its end")
    func lease() throws {
        let map = try map(MapShape(strategy: .sharded, shards: 3), .allow)
        let iterator = try map.iterate(.live, prefix: [], maximumBytes: 0)
        iterator.abandon()
        iterator.abandon()
        #expect(iterator.stop == .lease)
        #expect(map.snapshot().abortedIterators[.lease] == 1)
        #expect(map.snapshot().openIterators == 0)
        let complete = try map.iterate(.live, prefix: [], maximumBytes: 0)
        _ = complete.next(limit: .max)
        complete.abandon()
        #expect(complete.stop == nil)
        #expect(map.snapshot().abortedIterators[.lease] == 1)
    }

    @Test("a typed map stops its walks too, and refuses the guard that it does not have")
    func typed() throws {
        #expect(throws: ShardedMapError.guardDeny) {
            try ShardedMap<Int, Int>(MapName("m"), MapOptions(deletionGuard: .deny))
        }
        let map = try ShardedMap<Int, Int>(MapName("m"), MapOptions(shards: 2, deletionGuard: .stopIteration))
        for number in 0..<100 { map.store(number, number) }
        var walk = map.entries(.live)
        #expect(walk.next() != nil)
        #expect(map.delete(7) == 7)
        #expect(walk.next() == nil)
        #expect(walk.stop == .deletion)
        #expect(map.snapshot().abortedIterators[.deletion] == 1)
    }

    @Test("the guard is an option like the others")
    func option() throws {
        for known in DeletionGuard.allCases {
            #expect(try MapOptions(fields: ["guard": .text(known.rawValue)]).deletionGuard == known)
        }
        let error = #expect(throws: MapOptionsError.self) { try MapOptions(fields: ["guard": .text("never")]) }
        #expect(error?.field == "guard")
        #expect(error?.description == "guard \"never\" is unknown; known are allow, deny, stop_iteration")
        #expect(try !MapOptions().describeSameMap(as: MapOptions(deletionGuard: .deny)))
    }
}

/// Takes an iterator over from the thread that opened it.
private final class LockedIterator: Sendable {
    private let opened = Mutex<(any MapIterator)?>(nil)

    var iterator: (any MapIterator)? { opened.withLock { $0 } }

    /// Of a shard that nobody holds: it opens before it enters any.
    func open(of map: any InstrumentedMap, prefix: [UInt8]) {
        let iterators = (map as? ByteMap<ExclusiveGuard, ByteTable, NoRecords>)?.iterators
        opened.withLock { $0 = iterators.map { OpenTicket(ticket: $0.open()) } }
    }
}

/// An iterator that has opened and goes nowhere.
private final class OpenTicket: MapIterator {
    private let ticket: OpenIterator

    init(ticket: OpenIterator) { self.ticket = ticket }

    let heldBytes = 0
    var isAtEnd: Bool { false }
    func next(limit: Int, maximumBytes: Int) -> [MapEntry] { [] }
}
