import Glibc
import InstrumentedMaps
import Instruments
import Synchronization
import TestSupport

// Who meets nobody must never be told that he did:
//
//     own shards     each thread reads and writes in shards that nobody else enters              18 in 20 operations
//     in turn        all threads read, write, walk and sweep on all shards, one at a time         1 in 20
//     readers        all threads read the same keys at once, which harms nobody                   1 in 20
//
// Maintenance and snapshots go on all the while, and are no party of anything. At the end two operations are made to meet,
// so that a map that finds nothing at all does not pass.

/// Plays operations that do not overlap on a `checked` map, and looks whether it says that some did.
struct FalseConflicts {
    private static let shards = 64
    private static let keysPerShard = 256
    /// Operations that a thread does in one turn, at the most.
    private static let longestTurn = 64

    private let arguments: Arguments
    private let map: any InstrumentedMap
    /// By shard.
    private let keys: [[[UInt8]]]

    init(_ arguments: Arguments) throws {
        self.arguments = arguments
        let host = MapHost { 0 }
        let name = try MapName("checked")
        _ = try host.create(name, MapOptions(strategy: .checked, shards: Self.shards, policy: .count))
        map = try host.mapForWriting(name)
        var keys = [[[UInt8]]](repeating: [], count: Self.shards)
        var number = 0
        while keys.contains(where: { $0.count < Self.keysPerShard }) {
            let key = key(number)
            let shard = map.shard(of: key)
            if keys[shard].count < Self.keysPerShard { keys[shard].append(key) }
            number += 1
        }
        self.keys = keys
    }

    func run() -> [Finding] {
        let isOver = Flag()
        let maintenance = ThreadGroup()
        maintenance.start { [map] in
            while !isOver.isRaised {
                _ = map.maintain(budget: 64)
                _ = map.snapshot()
                usleep(1_000)
            }
        }
        let twentieth = arguments.operations / 20
        var findings = [
            finding("in shards of their own", ownShards(twentieth * 18)), finding("in turn", inTurn(twentieth)),
            finding("that only read", readers(twentieth)),
        ]
        isOver.raise()
        maintenance.join()
        findings.append(overlap())
        return findings
    }

    // MARK: - Those who meet nobody

    /// Plays so many operations, and returns how many there were.
    private func ownShards(_ count: Int) -> Int {
        play(count) { numbers, thread, times in
            // Each shard is one thread's.
            let own = stride(from: thread, to: Self.shards, by: arguments.threads).map { $0 }
            for _ in 0..<times { operate(on: own[Int.random(in: own.indices, using: &numbers)], &numbers) }
        }
    }

    private func inTurn(_ count: Int) -> Int {
        let turn = LockedState(())
        return play(count) { numbers, _, times in
            var left = times
            while left > 0 {
                let length = min(left, Int.random(in: 1...Self.longestTurn, using: &numbers))
                turn.withLock { _ in
                    for _ in 1..<length { operate(on: Int.random(in: 0..<Self.shards, using: &numbers), &numbers) }
                    walk(numbers.next())
                }
                left -= length
            }
        }
    }

    private func readers(_ count: Int) -> Int {
        play(count) { numbers, _, times in
            for _ in 0..<times { _ = map.load(keys[0][Int.random(in: 0..<Self.keysPerShard, using: &numbers)]) }
        }
    }

    private func play(
        _ count: Int, _ body: @escaping @Sendable (inout SeededGenerator, _ thread: Int, _ times: Int) -> Void
    ) -> Int {
        let times = count / arguments.threads
        ThreadGroup.run(arguments.threads) { thread in
            var numbers = SeededGenerator(seed: arguments.seed &+ UInt64(thread))
            body(&numbers, thread, times)
        }
        return times * arguments.threads
    }

    private func operate(on shard: Int, _ numbers: inout SeededGenerator) {
        let dice = numbers.next()
        let key = keys[shard][Int(dice >> 8 % UInt64(Self.keysPerShard))]
        switch dice % 16 {
        case 0..<7: _ = map.load(key)
        case 7..<12: map.store(key, key)
        case 12, 13: map.delete(key)
        case 14: map.insertIfAbsent(key, [1])
        default: map.update(key) { $0 = $0 == nil ? [2] : nil }
        }
    }

    /// Something that enters every shard.
    private func walk(_ dice: UInt64) {
        switch dice % 64 {
        case 0: _ = map.deleteMatching { $0[0] == 7 }
        case 1: map.forEachLocked { _, _ in }
        default: _ = try? map.iterate(.live, prefix: [1], maximumBytes: 1 << 20).next(limit: 1, maximumBytes: 1 << 10)
        }
    }

    private var conflicts: UInt64 {
        guard let sample = map.snapshot().conflicts else { return .max }
        return ConflictKind.allCases.reduce(sample.refusals) { $0 &+ sample[$1] }
    }

    private func finding(_ whose: String, _ count: Int) -> Finding {
        let found = conflicts
        return Finding(
            text: "checked: \(count) operations by \(arguments.threads) threads \(whose): \(found) conflicts so far",
            holds: found == 0)
    }

    // MARK: - Two who meet

    private func overlap() -> Finding {
        let key = keys[0][0]
        let before = conflicts
        let isInside = Flag()
        let second = ThreadGroup()
        second.start { [map] in
            _ = eventually { isInside.isRaised }
            map.store(key, [1])
        }
        map.modify(key.span, countingLoad: false) { _ in
            isInside.raise()
            _ = eventually { conflicts > before }
            return .keep
        }
        second.join()
        return Finding(
            text: "checked: 2 operations that met: \(conflicts - before) conflict", holds: conflicts - before == 1)
    }
}
