import Glibc
import InstrumentedMaps
import Testing

/// One way to build a map; every test of a map's behaviour runs for all of them.
struct MapShape: Sendable, CustomTestStringConvertible {
    let strategy: MapStrategy
    let shards: Int?
    var reads: ReadMode?
    var policy: ConflictPolicy?

    static let all = [
        MapShape(strategy: .sharded, shards: 1),
        MapShape(strategy: .sharded, shards: 3),
        MapShape(strategy: .sharded, shards: 16),
        MapShape(strategy: .sharded, shards: 1024),
        MapShape(strategy: .sharded, shards: 1, reads: .optimistic),
        MapShape(strategy: .sharded, shards: 16, reads: .optimistic),
        MapShape(strategy: .rwlock, shards: nil),
        MapShape(strategy: .checked, shards: 3, policy: .count),
    ]

    /// One shape a strategy, for tests whose cost is in the threads.
    static let oneEach = [
        MapShape(strategy: .sharded, shards: 16), MapShape(strategy: .sharded, shards: 16, reads: .optimistic),
        MapShape(strategy: .rwlock, shards: nil), MapShape(strategy: .checked, shards: 16, policy: .count),
    ]

    /// Whether a map of Swift values can be built so.
    var isTyped: Bool { reads == nil && strategy != .checked }

    /// A fresh map of this shape, called "m".
    func make() throws -> any InstrumentedMap {
        let host = MapHost { 0 }
        let name = try MapName("m")
        _ = try host.create(name, options())
        return try #require(host.map(name))
    }

    /// The options of this shape.
    func options(ttlSeconds: Int? = nil) throws -> MapOptions {
        try MapOptions(strategy: strategy, shards: shards, reads: reads, ttlSeconds: ttlSeconds, policy: policy)
    }

    var testDescription: String {
        "\(strategy)" + (shards.map { ", \($0) shards" } ?? "") + (reads.map { ", \($0)" } ?? "")
    }
}

/// A key made of a number.
func key(_ number: Int) -> [UInt8] { Array("key-\(number)".utf8) }

extension InstrumentedMap {
    /// Maintains the map until all is done and it holds at most `bytes`. A reader without a lock holds memory back for as
    /// long as it is inside, whichever map it reads; tests that run beside this one have such readers.
    func settle(holdingAtMost bytes: UInt64) {
        while maintain(budget: 1_000) > 0 || snapshot().sum(\.allocatedBytes) > bytes { sched_yield() }
    }

    /// All entries, read through the pages of an iterator.
    func entries(
        _ kind: IterationKind = .snapshot, prefix: [UInt8] = [], pageSize: Int = 1_000
    ) throws -> [MapEntry] {
        let iterator = try iterate(kind, prefix: prefix, maximumBytes: 1 << 30)
        var entries: [MapEntry] = []
        while !iterator.isAtEnd { entries += iterator.next(limit: pageSize) }
        return entries
    }
}

extension MapIterator {
    /// A page that only the number of its entries bounds.
    func next(limit: Int) -> [MapEntry] { next(limit: limit, maximumBytes: .max) }
}
