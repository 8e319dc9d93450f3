import InstrumentedMaps
import Instruments
import TestSupport
import Testing

/// A lock that tells when it has been given back by a writer. One test at a time uses it.
private struct HookedGuard: ShardGuard, ~Copyable {
    static let afterExclusive = LockedState<(@Sendable () -> Void)?>(nil)
    static let locks = Counter()

    private let inner: ExclusiveGuard

    init(_ waits: WaitRecord?) { inner = ExclusiveGuard(waits) }

    var readersShare: Bool { inner.readersShare }

    borrowing func exclusively<R>(_ body: () -> R) -> R {
        let result = inner.exclusively(body)
        HookedGuard.locks.add()
        HookedGuard.afterExclusive.withLock { $0 }?()
        return result
    }

    borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R { inner.sharing(as: access, body) }

    borrowing func sample(now: UInt64) -> LockSample { inner.sample(now: now) }
}

@Suite("Delete paths")
struct DeletePathTests {
    /// Some way to delete the keys 100 to 149.
    enum Path: String, Sendable, CaseIterable {
        case byKey
        case byKeyList
        case byPredicate
        case byPrefix
    }

    /// A map that holds the keys 0 to 199.
    private func filled(_ shape: MapShape) throws -> any InstrumentedMap {
        let map = try shape.make()
        for number in 0..<200 { map.store(Self.key(number), [UInt8](repeating: 1, count: number)) }
        return map
    }

    private static func key(_ number: Int) -> [UInt8] {
        Array((number / 50 == 2 ? "go-" : "stay-").utf8) + [UInt8(number)]
    }

    private func delete(_ path: Path, in map: any InstrumentedMap) -> Int {
        let doomed = (100..<150).map(Self.key)
        switch path {
        case .byKey: return doomed.count { map.delete($0.span) }
        case .byKeyList:
            var deleted = 0
            for key in doomed where map.delete(key) { deleted += 1 }
            return deleted
        case .byPredicate: return map.deleteMatching { $0[0] == UInt8(ascii: "g") }
        case .byPrefix: return map.deleteMatching(prefix: Array("go-".utf8))
        }
    }

    @Test("each path deletes the same and counts the same", arguments: MapShape.all, Path.allCases)
    func pathsCountTheSame(shape: MapShape, path: Path) throws {
        let map = try filled(shape)
        #expect(delete(path, in: map) == 50)
        let snapshot = map.snapshot()
        var expected = Ledger()
        expected.inserts = 200
        expected.deletes = 50
        #expect(Ledger(of: snapshot) == expected)
        expectInvariants(snapshot, entries: 150, "\(path)")
        for number in 0..<200 {
            let isGone = map.load(Self.key(number)) == nil
            #expect(isGone == (100..<150).contains(number))
        }
    }

    @Test("each path takes the same bytes away, in every single shard", arguments: [3, 16])
    func pathsFreeTheSame(shards: Int) throws {
        // Shards are chosen by a hash that is the same for all maps of a process, so rows can be compared one by one.
        let samples = try Path.allCases.map { path in
            let map = try filled(MapShape(strategy: .sharded, shards: shards))
            _ = delete(path, in: map)
            return map.snapshot().shards.map { [$0.inserts, $0.deletes, $0.deleteMisses, $0.entries, $0.capacity] }
        }
        for other in samples.dropFirst() { #expect(other == samples[0]) }
    }

    @Test("deleting what is not there counts misses by key, and nothing by match", arguments: MapShape.all)
    func missesAreCounted(shape: MapShape) throws {
        let map = try filled(shape)
        _ = delete(.byPrefix, in: map)
        #expect(delete(.byKeyList, in: map) == 0)
        #expect(delete(.byPrefix, in: map) == 0)
        #expect(delete(.byPredicate, in: map) == 0)
        let snapshot = map.snapshot()
        #expect(snapshot.sum(\.deletes) == 50)
        #expect(snapshot.sum(\.deleteMisses) == 50)
        #expect(snapshot.sum(\.iterations) == 0)
    }

    @Test("a sweep gives the shard back after every 64 deletes, and another thread gets in between")
    func yields() throws {
        let map = HookedGuard.makeMap(
            name: try MapName("m"), options: try MapOptions(strategy: .rwlock), incarnation: 1, createdAt: 0)
        for number in 0..<1_000 { map.store(Array("\(number)".utf8), []) }
        let locks = HookedGuard.locks.value
        let entries = LockedState<[UInt64]>([])
        HookedGuard.afterExclusive.withLock { hook in
            hook = {
                // Another thread, which needs the lock: it would never end if the sweep held it.
                ThreadGroup.run(1) { _ in _ = map.load([1]) }
                let now = map.snapshot().sum(\.entries)
                entries.withLock { $0.append(now) }
            }
        }
        #expect(map.deleteMatching(prefix: []) == 1_000)
        HookedGuard.afterExclusive.withLock { $0 = nil }
        #expect(HookedGuard.locks.value - locks == 16)
        // In two steps: the compiler gives up on the whole when the machine is busy.
        let expected: [UInt64] = (1...16).map { UInt64(max(0, 1_000 - $0 * 64)) }
        #expect(entries.withLock { $0 } == expected)
    }

    @Test("an empty prefix matches everything", arguments: MapShape.all)
    func emptyPrefixClears(shape: MapShape) throws {
        let map = try filled(shape)
        #expect(map.deleteMatching(prefix: []) == 200)
        expectInvariants(map.snapshot(), entries: 0, "cleared")
        #expect(try map.entries().isEmpty)
    }
}
