import InstrumentedMaps
import Instruments
import TestSupport
import Testing

/// One thread's work: keys of its own, whose every value it knows, and a few keys that all threads fight over.
private struct Worker {
    let map: any InstrumentedMap
    let thread: Int
    var generator: SeededGenerator
    var own: [[UInt8]: [UInt8]] = [:]
    /// Inserts less deletes of each shared key by this thread.
    var sharedBalance = [Int](repeating: 0, count: 16)
    var ledger = Ledger()
    var surprises: [String] = []

    mutating func run(operations: Int) {
        for _ in 0..<operations {
            switch Int.random(in: 0..<1_000, using: &generator) {
            case 0: deleteMatching()
            case 1: iterate()
            case ..<400: useShared()
            default: useOwn()
            }
        }
    }

    private mutating func useOwn() {
        let key = [
            UInt8(thread), UInt8.random(in: 0...255, using: &generator), UInt8.random(in: 0...3, using: &generator),
        ]
        switch Int.random(in: 0..<3, using: &generator) {
        case 0:
            let value = [UInt8](repeating: UInt8(thread), count: Int.random(in: 0...300, using: &generator))
            let outcome = map.store(key, value)
            ledger.note(outcome)
            if (outcome == .inserted) != (own.updateValue(value, forKey: key) == nil) { surprises.append("store") }
        case 1:
            let hit = map.delete(key)
            ledger.noteDelete(hit: hit)
            if hit != (own.removeValue(forKey: key) != nil) { surprises.append("delete") }
        default:
            let value = map.load(key)
            ledger.noteLoad(hit: value != nil)
            if value != own[key] { surprises.append("load") }
        }
    }

    private mutating func useShared() {
        let index = Int.random(in: 0..<16, using: &generator)
        let key: [UInt8] = [0xff, UInt8(index)]
        switch Int.random(in: 0..<3, using: &generator) {
        case 0:
            // All bytes of a value are equal: a torn one shows.
            let byte = UInt8.random(in: 0...255, using: &generator)
            let outcome = map.store(key, [UInt8](repeating: byte, count: Int.random(in: 1...200, using: &generator)))
            ledger.note(outcome)
            if outcome == .inserted { sharedBalance[index] += 1 }
        case 1:
            let hit = map.delete(key)
            ledger.noteDelete(hit: hit)
            if hit { sharedBalance[index] -= 1 }
        default:
            let value = map.load(key)
            ledger.noteLoad(hit: value != nil)
            if let value, Set(value).count != 1 { surprises.append("torn") }
        }
    }

    private mutating func deleteMatching() {
        let deleted = map.deleteMatching(prefix: [UInt8(thread)])
        if deleted != own.count { surprises.append("deleteMatching") }
        ledger.deletes += UInt64(deleted)
        own = [:]
    }

    private mutating func iterate() {
        do {
            let kind: IterationKind = Bool.random(using: &generator) ? .snapshot : .live
            let entries = try map.entries(kind, prefix: [UInt8(thread)], pageSize: 50)
            ledger.iterations += UInt64(map.options.shards)
            if asDictionary(entries) != own || entries.count != own.count {
                surprises.append("\(kind)")
            }
        } catch {
            surprises.append("\(error)")
        }
    }
}

private func asDictionary(_ entries: [MapEntry]) -> [[UInt8]: [UInt8]] {
    Dictionary(entries.map { ($0.key, $0.value) }) { first, _ in first }
}

@Suite("Stress")
struct StressTests {
    private final class Results: Sendable {
        let workers = LockedState<[Worker]>([])
    }

    @Test(
        "eight threads leave a map whose entries and counters are those of their ledgers", arguments: MapShape.oneEach)
    func ledgersAddUp(shape: MapShape) throws {
        let map = try shape.make()
        let results = Results()
        let done = Flag()
        let backwards = Tally()
        let scraper = ThreadGroup()
        scraper.start {
            var last = map.snapshot()
            while !done.isRaised {
                let now = map.snapshot()
                if now.sum(\.writes) < last.sum(\.writes) || now.sum(\.loads) < last.sum(\.loads) { backwards.add() }
                last = now
            }
        }
        ThreadGroup.run(8) { thread in
            var worker = Worker(
                map: map, thread: thread, generator: SeededGenerator(seed: TestSeed.value &+ UInt64(thread)))
            worker.run(operations: 6_000)
            let result = worker
            results.workers.withLock { $0.append(result) }
        }
        done.raise()
        scraper.join()
        let workers = results.workers.withLock { $0 }
        let note: Comment = "\(TestSeed.note)"
        #expect(workers.flatMap(\.surprises) == [], note)
        #expect(backwards.value == 0, note)

        let snapshot = map.snapshot()
        #expect(Ledger(of: snapshot) == workers.reduce(Ledger()) { $0 + $1.ledger }, note)
        var expected: [[UInt8]: [UInt8]] = [:]
        for worker in workers { expected.merge(worker.own) { first, _ in first } }
        var shared = 0
        for index in 0..<16 {
            let balance = workers.reduce(0) { $0 + $1.sharedBalance[index] }
            #expect(balance == (map.load([0xff, UInt8(index)]) == nil ? 0 : 1), note)
            shared += balance
        }
        expectInvariants(snapshot, entries: expected.count + shared, note)
        let entries = try map.entries().filter { $0.key[0] != 0xff }
        #expect(entries.count == expected.count, note)
        #expect(asDictionary(entries) == expected, note)
        _ = map.deleteMatching(prefix: [])
        expectInvariants(map.snapshot(), entries: 0, note)
    }

    @Test("readers that share a shard lose no load, miss or iteration", arguments: MapShape.oneEach)
    func sharedReadersCount(shape: MapShape) throws {
        let map = try shape.make()
        map.store([1], [1])
        let failed = Tally()
        ThreadGroup.run(4) { _ in
            for _ in 0..<30_000 {
                _ = map.load([1])
                _ = map.load([2])
            }
            for _ in 0..<200 where (try? map.iterate(.snapshot, prefix: [], maximumBytes: 1 << 20)) == nil {
                failed.add()
            }
        }
        let snapshot = map.snapshot()
        #expect(failed.value == 0)
        #expect(snapshot.sum(\.loads) == 120_000)
        #expect(snapshot.sum(\.loadMisses) == 120_000)
        #expect(snapshot.sum(\.iterations) == 800 * UInt64(map.options.shards))
    }
}
