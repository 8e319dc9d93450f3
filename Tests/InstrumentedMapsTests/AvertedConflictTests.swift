import InstrumentedMaps
import Instruments
import TestSupport
import Testing

@Suite("Averted conflicts of a map")
struct AvertedConflictTests {
    enum Holder: Sendable, CaseIterable {
        case write
        case iterate
    }

    enum Finder: Sendable, CaseIterable {
        case load
        case store
        case delete
        case modify
        case batch
        case list
        case sweep
        case count
    }

    private static let shapes = [
        MapShape(strategy: .sharded, shards: 1), MapShape(strategy: .sharded, shards: 1, reads: .optimistic),
        MapShape(strategy: .rwlock, shards: nil),
    ]

    /// Runs `body` while a thread is inside the map's one shard, at something that takes it for as long.
    private func withHolder(_ holder: Holder, in map: any InstrumentedMap, _ body: () throws -> Void) rethrows {
        let thread = ThreadGroup()
        let inside = Flag()
        let leave = Flag()
        @Sendable func stay() {
            inside.raise()
            _ = eventually { leave.isRaised }
        }
        thread.start {
            switch holder {
            case .write:
                map.modify(key(0).span, countingLoad: false) { _ in
                    stay()
                    return .keep
                }
            case .iterate:
                _ = map.deleteMatching { _ in
                    if !inside.isRaised { stay() }
                    return false
                }
            }
        }
        defer { thread.join() }
        defer { leave.raise() }
        #expect(eventually { inside.isRaised })
        try body()
    }

    private func perform(_ finder: Finder, on map: any InstrumentedMap) {
        switch finder {
        case .load: _ = map.load(key(1))
        case .store: map.store(key(1), [1])
        case .delete: map.delete(key(1))
        case .modify: map.update(key(1)) { $0 = [2] }
        case .batch:
            var batch = MapBatch()
            batch.store(key(1).span, key(1).span)
            map.perform(&batch)
        case .list: _ = try? map.entries(.snapshot)
        case .sweep: _ = map.deleteMatching(prefix: [0])
        case .count: _ = map.countExact()
        }
    }

    /// What `finder` averts when it finds `holder` inside.
    private func expected(_ finder: Finder, _ holder: Holder, _ map: any InstrumentedMap) -> AvertedConflicts {
        switch (finder, holder) {
        // Behind a lock that readers share, the batch's look ahead waits for a writer, and the store itself then meets
        // nobody. Elsewhere nobody waits to look ahead, and it is a store as any.
        case (.batch, .write) where map.options.strategy == .rwlock: AvertedConflicts()
        case (.load, .write) where map.options.reads == .optimistic: AvertedConflicts()
        case (.load, .write), (.count, .write): AvertedConflicts(readWrites: 1)
        case (.list, .write), (.sweep, .write): AvertedConflicts(iterateWrites: 1)
        case (_, .write): AvertedConflicts(writeWrites: 1)
        case (.store, .iterate), (.delete, .iterate), (.modify, .iterate), (.batch, .iterate):
            AvertedConflicts(iterateWrites: 1)
        case (_, .iterate): AvertedConflicts()
        }
    }

    @Test(
        "an operation that finds another one inside counts once what the two would have been", arguments: shapes,
        Holder.allCases)
    func meetings(shape: MapShape, holder: Holder) throws {
        for finder in Finder.allCases {
            let map = try shape.make()
            for number in 0..<3 { map.store(key(number), [0]) }
            let other = ThreadGroup()
            let done = Flag()
            try withHolder(holder, in: map) {
                other.start {
                    perform(finder, on: map)
                    done.raise()
                }
                // It waits, or it is done: readers pass where the strategy lets them.
                let hasMet = eventually { done.isRaised || map.snapshot().sum(\.lockWaiters) == 1 }
                try #require(hasMet, "\(finder)")
            }
            other.join()
            #expect(map.snapshot().shards[0].averted == expected(finder, holder, map), "\(finder)")
        }
    }

    @Test("in mode global the map's one lock averts them, and they count in the first shard's row")
    func global() throws {
        let map = try MapShape(strategy: .sharded, shards: 16).make()
        map.setMode(.global)
        let other = ThreadGroup()
        withHolder(.write, in: map) {
            for number in 1...4 { other.start { map.store(key(number), []) } }
            other.start { _ = map.load(key(9)) }
            #expect(eventually { map.snapshot().sum(\.lockWaiters) == 5 })
        }
        other.join()
        let rows = map.snapshot().shards.map(\.averted)
        // One more may meet on its way in, when the holder has gone.
        #expect(rows[0].writeWrites == 4)
        #expect(rows[0].readWrites == 1)
        #expect(rows.dropFirst().allSatisfy { $0 == AvertedConflicts() })
    }

    @Test("one thread alone averts nothing, whatever it does", arguments: MapShape.all)
    func alone(shape: MapShape) throws {
        let map = try shape.make()
        for number in 0..<500 { map.store(key(number), []) }
        for finder in Finder.allCases { perform(finder, on: map) }
        _ = try map.entries(.live)
        _ = map.maintain(budget: .max)
        #expect(map.snapshot().shards.allSatisfy { $0.averted == AvertedConflicts() })
    }

    @Test("a typed map counts them too", arguments: [MapStrategy.sharded, .rwlock])
    func typed(strategy: MapStrategy) throws {
        let map = try ShardedMap<Int, Int>(
            MapName("m"), MapOptions(strategy: strategy, shards: strategy == .sharded ? 1 : nil))
        map.store(1, 1)
        let other = ThreadGroup()
        let inside = Flag()
        let leave = Flag()
        let holder = ThreadGroup()
        holder.start {
            map.update(1) { _ in
                inside.raise()
                _ = eventually { leave.isRaised }
            }
        }
        #expect(eventually { inside.isRaised })
        other.start { _ = map.load(1) }
        other.start { map.store(2, 2) }
        other.start { for _ in map.entries(.live) {} }
        #expect(eventually { map.snapshot().sum(\.lockWaiters) == 3 })
        #expect(
            map.snapshot().shards[0].averted == AvertedConflicts(readWrites: 1, writeWrites: 1, iterateWrites: 1))
        leave.raise()
        other.join()
        holder.join()
    }
}
