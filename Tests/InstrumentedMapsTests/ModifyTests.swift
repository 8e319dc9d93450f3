import Glibc
import InstrumentedMaps
import TestSupport
import Testing

/// What reads and writes in one step, each method by itself and its counters.
@Suite("Read and write in one step")
struct ModifyTests {
    @Test("an insert takes place when the key is absent, and then no more", arguments: MapShape.all)
    func insertsIfAbsent(shape: MapShape) throws {
        let map = try shape.make()
        #expect(map.insertIfAbsent([1], [10]))
        #expect(!map.insertIfAbsent([1], [11]))
        #expect(map.insertIfAbsent([2], []))
        #expect(!map.insertIfAbsent([2], [12]))
        try expectCounts(map) { $0.inserts = 2 }
        #expect(map.load([1]) == [10])
        #expect(map.load([2]) == [])
    }

    @Test("what is there is got, what is absent is made once and stays", arguments: MapShape.all)
    func getsOrInserts(shape: MapShape) throws {
        let map = try shape.make()
        var made = 0
        func make() -> [UInt8] {
            made += 1
            return [UInt8(made)]
        }
        #expect(map.getOrInsert([1], make) == [1])
        #expect(map.getOrInsert([1], make) == [1])
        #expect(map.getOrInsert([2], make) == [2])
        #expect(made == 2)
        try expectCounts(map) {
            $0.inserts = 2
            $0.loads = 1
            $0.loadMisses = 2
        }
        map.store([1], [])
        #expect(map.getOrInsert([1], make) == [])
        #expect(made == 2)
    }

    @Test("an update sees the value or nil, and sets, changes, removes or leaves it", arguments: MapShape.all)
    func updates(shape: MapShape) throws {
        let map = try shape.make()
        var seen: [[UInt8]?] = []
        func update(_ body: (inout [UInt8]?) -> Void) -> ModifyOutcome {
            map.update([1]) { value in
                seen.append(value)
                body(&value)
            }
        }
        #expect(update { _ in } == .kept)
        #expect(update { $0 = nil } == .kept)
        #expect(update { $0 = [1] } == .stored(.inserted))
        #expect(update { $0?.append(2) } == .stored(.updated))
        #expect(update { _ in } == .kept)
        #expect(update { $0 = [1, 2] } == .kept)
        #expect(update { $0 = [1, 3] } == .stored(.updated))
        #expect(update { $0 = [] } == .stored(.updated))
        #expect(update { $0 = [] } == .kept)
        #expect(update { $0 = nil } == .removed)
        #expect(update { $0 = [4] } == .stored(.inserted))
        #expect(seen == [nil, nil, nil, [1], [1, 2], [1, 2], [1, 2], [1, 3], [], [], nil])
        try expectCounts(map) {
            $0.inserts = 2
            $0.updates = 3
            $0.deletes = 1
        }
        #expect(map.load([1]) == [4])
    }

    @Test("a remove takes place when the condition holds, and misses what is absent", arguments: MapShape.all)
    func removesIf(shape: MapShape) throws {
        let map = try shape.make()
        map.store([1], [7, 8])
        map.store([2], [])
        var asked = 0
        func remove(_ key: [UInt8], ifCount count: Int) -> Bool {
            map.remove(key) { value in
                asked += 1
                return value.count == count
            }
        }
        #expect(!remove([1], ifCount: 3))
        #expect(map.load([1]) == [7, 8])
        #expect(remove([1], ifCount: 2))
        #expect(map.load([1]) == nil)
        #expect(!remove([1], ifCount: 2))
        #expect(!remove([2], ifCount: 1))
        #expect(remove([2], ifCount: 0))
        #expect(asked == 4)
        try expectCounts(map) {
            $0.inserts = 2
            $0.deletes = 2
            $0.deleteMisses = 1
            $0.loads = 1
            $0.loadMisses = 1
        }
        expectInvariants(map.snapshot(), entries: 0, "all removed")
    }

    @Test("each takes the shard's lock once", arguments: MapShape.all)
    func locksOnce(shape: MapShape) throws {
        let map = try shape.make()
        map.insertIfAbsent([1], [1])
        _ = map.getOrInsert([2]) { [2] }
        map.update([1]) { $0 = [2] }
        map.remove([1]) { _ in true }
        map.remove([1]) { _ in true }
        #expect(map.snapshot().sum(\.lockAcquired) == 5)
    }

    @Test("a value may change its size class on the way", arguments: MapShape.all)
    func sizesChange(shape: MapShape) throws {
        let map = try shape.make()
        for number in 0..<50 { map.store(key(number), key(number)) }
        var expected = key(7)
        for size in (0...20).map({ 1 << $0 }) + [0, 1_000_000, 3] {
            map.update(key(7)) { value in
                #expect(value == expected)
                value = [UInt8](repeating: UInt8(truncatingIfNeeded: size >> 3), count: size)
            }
            expected = [UInt8](repeating: UInt8(truncatingIfNeeded: size >> 3), count: size)
        }
        #expect(map.load(key(7)) == expected)
        for number in 0..<50 where number != 7 { #expect(map.load(key(number)) == key(number)) }
        expectInvariants(map.snapshot(), entries: 50, "sizes")
    }

    private func expectCounts(_ map: any InstrumentedMap, _ change: (inout Ledger) -> Void) throws {
        var expected = Ledger()
        change(&expected)
        #expect(Ledger(of: map.snapshot()) == expected)
    }
}

/// The same from many threads: what is read and written in one step loses nothing.
@Suite("Read and write in one step, by many threads")
struct ConcurrentModifyTests {
    private static let threads = 8
    private static let rounds = 10_000

    @Test("eight threads count to 80,000 and lose no increment", arguments: MapShape.oneEach)
    func increments(shape: MapShape) throws {
        let map = try shape.make()
        ThreadGroup.run(Self.threads) { _ in
            for _ in 0..<Self.rounds { map.update([1]) { $0 = Self.bytes(Self.number($0) + 1) } }
        }
        let snapshot = map.snapshot()
        #expect(map.load([1]).map { Self.number($0) } == Self.threads * Self.rounds)
        #expect(snapshot.sum(\.inserts) == 1)
        #expect(snapshot.sum(\.updates) == UInt64(Self.threads * Self.rounds - 1))
        expectInvariants(snapshot, entries: 1, "increments")
    }

    @Test(
        "what one thread puts and eight claim by its value is claimed exactly once", arguments: MapShape.oneEach)
    func claims(shape: MapShape) throws {
        let map = try shape.make()
        let claimed = Tally()
        let inserted = Tally()
        let wrong = Tally()
        // Every thread puts a ticket of its own where none is, and takes away only its own.
        ThreadGroup.run(Self.threads) { thread in
            let ticket = [UInt8(thread)]
            for _ in 0..<Self.rounds {
                let didInsert = map.insertIfAbsent([1], ticket)
                if didInsert { inserted.add() }
                let isClaimed = map.remove([1]) { $0.count == 1 && $0[0] == ticket[0] }
                if isClaimed { claimed.add() }
                if didInsert != isClaimed { wrong.add() }
            }
        }
        let snapshot = map.snapshot()
        #expect(wrong.value == 0)
        #expect(claimed.value == inserted.value)
        #expect(snapshot.sum(\.inserts) == UInt64(inserted.value))
        #expect(snapshot.sum(\.deletes) == UInt64(claimed.value))
        expectInvariants(snapshot, entries: 0, "claims")
    }

    @Test("a count kept by remove(if:) and insertIfAbsent loses no increment", arguments: MapShape.oneEach)
    func compareAndSet(shape: MapShape) throws {
        let map = try shape.make()
        map.store([1], Self.bytes(0))
        ThreadGroup.run(Self.threads) { _ in
            for _ in 0..<Self.rounds {
                // Whoever removes the number it has read owns it until it puts the next.
                var next: Int?
                while next == nil {
                    guard let read = map.load([1]) else {
                        sched_yield()
                        continue
                    }
                    if map.remove([1], if: { Self.isEqual($0, read) }) { next = Self.number(read) + 1 }
                }
                if let next { map.insertIfAbsent([1], Self.bytes(next)) }
            }
        }
        let snapshot = map.snapshot()
        #expect(map.load([1]).map { Self.number($0) } == Self.threads * Self.rounds)
        #expect(snapshot.sum(\.deletes) == UInt64(Self.threads * Self.rounds))
        #expect(snapshot.sum(\.inserts) == UInt64(Self.threads * Self.rounds + 1))
        expectInvariants(snapshot, entries: 1, "compare and set")
    }

    @Test("of eight threads that want a value made exactly one makes it, and all get it", arguments: MapShape.oneEach)
    func madeOnce(shape: MapShape) throws {
        let map = try shape.make()
        let made = Tally()
        let differing = Tally()
        ThreadGroup.run(Self.threads) { thread in
            for number in 0..<500 {
                let mine = Array("\(number) by \(thread)".utf8)
                let got = map.getOrInsert(key(number)) {
                    made.add()
                    return mine
                }
                if got != map.load(key(number)) { differing.add() }
            }
        }
        let snapshot = map.snapshot()
        #expect(made.value == 500)
        #expect(differing.value == 0)
        #expect(snapshot.sum(\.inserts) == 500)
        #expect(snapshot.sum(\.loadMisses) == 500)
        #expect(snapshot.sum(\.loads) == UInt64(500 * (2 * Self.threads - 1)))
    }

    private static func isEqual(_ span: Span<UInt8>, _ bytes: [UInt8]) -> Bool {
        guard span.count == bytes.count else { return false }
        for index in bytes.indices where span[index] != bytes[index] { return false }
        return true
    }

    private static func number(_ value: [UInt8]?) -> Int { (value ?? []).reduce(0) { $0 << 8 | Int($1) } }

    /// As few bytes as the number has, so that the counter changes its size.
    private static func bytes(_ number: Int) -> [UInt8] {
        (0..<(number.bitWidth - number.leadingZeroBitCount + 7) / 8).reversed().map {
            UInt8(truncatingIfNeeded: number >> ($0 * 8))
        }
    }
}
