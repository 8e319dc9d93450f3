import InstrumentedMaps
import Instruments
import Synchronization
import TestSupport
import Testing

/// Keeps the thread of `holder` inside the shard, round after round, until another one has had its way.
private final class Barrier: OperationObserver {
    let inside = Tally()
    let left = Tally()
    let conflicts = LockedState<[MapConflict]>([])
    /// Whether the second one's conflict lets the first one go, for policies under which it waits.
    private let opensAtConflict: Bool
    private let holder: Caller

    init(_ holder: Caller, opensAtConflict: Bool = false) {
        self.holder = holder
        self.opensAtConflict = opensAtConflict
    }

    func insideCriticalSection(_ shard: Int, _ operation: ObservedOperation) {
        guard Caller.current == holder else { return }
        let round = inside.add()
        guard eventually({ left.value >= round }) else { return }
    }

    func didConflict(_ conflict: MapConflict) {
        conflicts.withLock { $0.append(conflict) }
        if opensAtConflict { left.add() }
    }
}

/// What one of the two does.
enum Deed: String, Sendable {
    case load, store, delete, modify, walk

    func perform(on map: any InstrumentedMap) {
        let key: [UInt8] = [1]
        switch self {
        case .load: _ = map.load(key)
        case .store: map.store(key, [1])
        case .delete: map.delete(key)
        case .modify: map.modify(key.span, countingLoad: false) { _ in .keep }
        case .walk: _ = try? map.iterate(.snapshot, prefix: [], maximumBytes: 1 << 20)
        }
    }
}

struct Meeting: Sendable, CustomTestStringConvertible {
    let holder: Deed
    let found: Deed
    let kind: ConflictKind?

    var testDescription: String { "\(holder.rawValue) met by \(found.rawValue)" }

    static let all = [
        Meeting(holder: .store, found: .load, kind: .readWrite),
        Meeting(holder: .load, found: .store, kind: .readWrite),
        Meeting(holder: .store, found: .store, kind: .writeWrite),
        Meeting(holder: .modify, found: .delete, kind: .writeWrite),
        Meeting(holder: .walk, found: .store, kind: .iterateWrite),
        Meeting(holder: .store, found: .walk, kind: .iterateWrite), Meeting(holder: .load, found: .load, kind: nil),
        Meeting(holder: .walk, found: .load, kind: nil),
    ]
}

@Suite("Strategy checked")
struct CheckedTests {
    private let name = "m"

    private func make(
        _ observer: (any OperationObserver)? = nil, shards: Int = 1, policy: ConflictPolicy = .reject,
        checksReads: Bool? = nil
    ) throws -> any InstrumentedMap {
        let host = MapHost(observer: { _, _, _ in observer }, secondsSince1970: { 0 })
        let name = try MapName(name)
        _ = try host.create(
            name, MapOptions(strategy: .checked, shards: shards, policy: policy, checksReads: checksReads))
        return try #require(host.map(name))
    }

    private func conflicts(of map: any InstrumentedMap) throws -> ConflictSample {
        try #require(map.snapshot().conflicts)
    }

    @Test("of 10,000 planted overlaps 10,000 are found, and of what harms nobody none", arguments: Meeting.all)
    func findsEveryOverlap(meeting: Meeting) throws {
        let rounds = 10_000
        let holder = Caller.named("holder-\(meeting.testDescription)")
        let barrier = Barrier(holder)
        let map = try make(barrier)
        map.store([1], [0])
        let group = ThreadGroup()
        group.start {
            withCaller(holder) { for _ in 0..<rounds { meeting.holder.perform(on: map) } }
        }
        var found = 0
        for round in 1...rounds {
            try #require(eventually { barrier.inside.value == round })
            do {
                try withCaller(.named("found")) { () throws(MapConflict) in
                    try map.refusingConflicts { meeting.found.perform(on: $0) }
                }
            } catch {
                found += 1
            }
            barrier.left.add()
        }
        group.join()
        let expected = meeting.kind == nil ? 0 : rounds
        #expect(found == expected)
        let sample = try conflicts(of: map)
        for kind in ConflictKind.allCases { #expect(sample[kind] == (kind == meeting.kind ? UInt64(expected) : 0)) }
        #expect(sample.refusals == UInt64(expected))
        let heard = barrier.conflicts.withLock { $0 }
        #expect(heard.count == expected)
        #expect(heard.allSatisfy { $0.holder.caller == holder && $0.found.caller.name == "found" && $0.shard == 0 })
        #expect(heard.allSatisfy { $0.found.thread != $0.holder.thread && $0.holder.since <= $0.found.since })
    }

    @Test(
        "what is counted and waits is found as often, and done in the end", arguments: [ConflictPolicy.count, .reject])
    func countsAndWaits(policy: ConflictPolicy) throws {
        let rounds = 10_000
        let holder = Caller.named("holder")
        let barrier = Barrier(holder, opensAtConflict: true)
        let map = try make(barrier, policy: policy)
        let group = ThreadGroup()
        let done = Tally()
        group.start {
            withCaller(holder) {
                for round in 1...rounds {
                    map.store([1], [1])
                    // The other one gets in before the next round: it reports one conflict, however long it waits.
                    _ = eventually { done.value >= round }
                }
            }
        }
        for round in 1...rounds {
            try #require(eventually { barrier.inside.value == round })
            // Not within a scope that could refuse: under `reject` too it waits.
            map.store([2], [2])
            done.add()
        }
        group.join()
        let sample = try conflicts(of: map)
        #expect(sample.writeWrites == UInt64(rounds))
        #expect(sample.refusals == 0)
        #expect(map.snapshot().sum(\.inserts) + map.snapshot().sum(\.updates) == UInt64(2 * rounds))
    }

    @Test("threads that never share a shard, maintenance and counts make no conflict")
    func noFalseOnes() throws {
        let map = try make(shards: 8, policy: .count)
        let perThread = 50_000
        let done = Flag()
        let group = ThreadGroup()
        group.start {
            while !done.isRaised {
                _ = map.maintain(budget: 1_000)
                _ = map.countExact()
            }
        }
        ThreadGroup.run(8) { thread in
            let mine = (0...).lazy.map { key($0) }.filter { map.shard(of: $0) == thread }.prefix(64)
            let keys = Array(mine)
            for round in 0..<perThread {
                let key = keys[round % keys.count]
                switch round % 4 {
                case 0: map.store(key, [1, 2, 3])
                case 1: _ = map.load(key)
                case 2: map.delete(key)
                default: map.insertIfAbsent(key, [4])
                }
            }
        }
        done.raise()
        group.join()
        #expect(try conflicts(of: map) == ConflictSample())
    }

    @Test("without check_reads a load and a write wait for each other, unreported", arguments: [true, false])
    func readsUnchecked(loadHolds: Bool) throws {
        let holder = Caller.named("holder")
        let barrier = Barrier(holder)
        let map = try make(barrier, checksReads: false)
        let (first, second) = loadHolds ? (Deed.load, Deed.store) : (.store, .load)
        let group = ThreadGroup()
        group.start { withCaller(holder) { first.perform(on: map) } }
        try #require(eventually { barrier.inside.value == 1 })
        group.start { try? map.refusingConflicts { second.perform(on: $0) } }
        #expect(eventually { map.snapshot().sum(\.lockWaiters) == 1 })
        barrier.left.add()
        group.join()
        #expect(try conflicts(of: map) == ConflictSample())
        #expect(map.snapshot().sum(\.loads) + map.snapshot().sum(\.loadMisses) == 1)
        #expect(map.snapshot().sum(\.inserts) == 1)
    }

    @Test("maintenance passes over a shard that is busy, and is no party of a conflict")
    func maintenanceIsNoParty() throws {
        let holder = Caller.named("holder")
        let barrier = Barrier(holder)
        let map = try make(barrier)
        map.store([9], [9])
        let group = ThreadGroup()
        group.start { withCaller(holder) { _ = map.store([1], [1]) } }
        try #require(eventually { barrier.inside.value == 1 })
        #expect(map.maintain(budget: 100) == 0)
        barrier.left.add()
        group.join()
        // And the other way round: whoever finds something that is nobody's operation inside waits for it.
        let isHeld = Flag()
        group.start {
            map.hold(shard: 0) {
                isHeld.raise(); _ = eventually { map.snapshot().sum(\.lockWaiters) == 1 }
            }
        }
        try #require(eventually { isHeld.isRaised })
        try map.refusingConflicts { _ = $0.store([1], [2]) }
        group.join()
        #expect(try conflicts(of: map) == ConflictSample())
    }

    @Test("after a refused operation nothing more of its scope is done, and what the map holds is as before")
    func refusesTheRest() throws {
        let holder = Caller.named("holder")
        let barrier = Barrier(holder)
        let map = try make(barrier, shards: 2)
        let other = try #require((0...).lazy.map { key($0) }.first { map.shard(of: $0) != map.shard(of: [1]) })
        let group = ThreadGroup()
        group.start { withCaller(holder) { _ = map.store([1], [1]) } }
        try #require(eventually { barrier.inside.value == 1 })
        #expect(throws: MapConflict.self) {
            try map.refusingConflicts { map in
                map.store([1], [2])
                map.store(other, [2])
            }
        }
        var batch = MapBatch()
        let one: [UInt8] = [1]
        batch.store(one.span, one.span)
        batch.store(other.span, one.span)
        map.performRefusingConflicts(&batch)
        #expect(batch.outcome(of: 0) == .conflict)
        #expect(batch.conflict(of: 0)?.kind == .writeWrite)
        #expect(batch.outcome(of: 1) == .stored(.inserted))
        #expect(throws: IterationError.self) {
            _ = try map.iterateRefusingConflicts(.snapshot, prefix: [], maximumBytes: 1 << 20)
        }
        barrier.left.add()
        group.join()
        #expect(map.load(one) == [1])
        #expect(map.countExact() == 2)
    }

    @Test("in mode global operations follow one another, and none meets another")
    func globalMode() throws {
        let map = try make(policy: .count)
        map.setMode(.global)
        ThreadGroup.run(4) { _ in for number in 0..<2_000 { map.store(key(number % 10), [1]) } }
        #expect(try conflicts(of: map) == ConflictSample())
        #expect(map.countExact() == 10)
    }

    @Test("a conflict's text has Go's words, the place and both parties")
    func text() throws {
        let party = MapConflict.Party(
            caller: .named("checkout"), thread: 7, operation: .update, keyHash: 0xaf63_dc4c_8601_ec8c, since: 1_000)
        let found = MapConflict.Party(caller: .none, thread: 0, operation: .load, keyHash: 1, since: 6_000)
        let conflict = MapConflict(
            map: try MapName("orders"), shard: 3, kind: .readWrite, found: found, holder: party)
        #expect(
            conflict.description
                == "concurrent map read and map write: map \"orders\", shard 3: thread ?/0, load, key hash "
                + "0000000000000001 met caller \"checkout\", update, key hash af63dc4c8601ec8c, which had begun 5 us before"
        )
        #expect(ConflictKind.writeWrite.text == "concurrent map writes")
        #expect(ConflictKind.iterateWrite.text == "concurrent map iteration and map write")
    }

    @Test("trap ends the process by SIGABRT, and the last lines of stderr name both")
    func traps() async throws {
        let result = await #expect(
            processExitsWith: .signal(6), observing: [\.standardErrorContent]
        ) {
            let host = MapHost { 0 }
            _ = try host.create(MapName("orders"), MapOptions(strategy: .checked, shards: 1, policy: .trap))
            let map = try host.mapForWriting(MapName("orders"))
            let key = Array("a".utf8)
            withCaller(.named("checkout")) {
                _ = map.modify(key.span, countingLoad: false) { _ in
                    ThreadGroup.run(1) { _ in withCaller(.named("refund")) { _ = map.store(Array("a".utf8), []) } }
                    return .keep
                }
            }
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        let lines = text.split(separator: "\n").suffix(4)
        #expect(text.utf8.count <= 4096)
        #expect(lines.first == "fatal error: concurrent map writes")
        #expect(lines.dropFirst().first == "map \"orders\", shard 0")
        #expect(lines.contains { $0.hasPrefix("found by caller \"refund\", update, key hash af63dc4c8601ec8c") })
        #expect(lines.last?.hasPrefix("holder   caller \"checkout\", modify, key hash af63dc4c8601ec8c") == true)
    }
}
