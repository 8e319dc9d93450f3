import FlightRecorder
import Glibc
import InstrumentedMaps
import Instruments
import Synchronization

/// Everything that a map offers, from many threads at once, with a scraper beside them.
struct Workload {
    private let arguments: Arguments
    private let map: any InstrumentedMap
    private let board = Board()
    private let recording: Recording?

    init(_ arguments: Arguments) throws {
        self.arguments = arguments
        let name = try MapName("probe")
        let board = board
        let nanoseconds: @Sendable () -> UInt64 = { board.nanoseconds.value }
        recording = arguments.subject == .recorded ? try Recording() : nil
        // Two shards: threads must meet.
        switch arguments.subject {
        case .strategy(let strategy):
            map = try Workload.host(
                name,
                MapOptions(
                    strategy: strategy, shards: strategy == .rwlock ? nil : 2,
                    policy: strategy == .checked ? .count : nil), nanoseconds)
        case .optimistic: map = try Workload.host(name, MapOptions(shards: 2, reads: .optimistic), nanoseconds)
        case .recorded:
            map = try Workload.host(name, MapOptions(shards: 2), nanoseconds, recording)
        case .unguarded, .recorder, .freed:
            map = Unguarded.makeMap(
                name: name, options: try MapOptions(shards: 2), incarnation: 1, createdAt: 0, nanoseconds: nanoseconds)
        }
    }

    private static func host(
        _ name: MapName, _ options: MapOptions, _ nanoseconds: @escaping @Sendable () -> UInt64,
        _ recording: Recording? = nil
    ) throws -> any InstrumentedMap {
        let host =
            if let recording {
                MapHost(nanoseconds: nanoseconds, observer: recording.factory) { 0 }
            } else {
                MapHost(nanoseconds: nanoseconds) { 0 }
            }
        _ = try host.create(name, options)
        return try host.mapForWriting(name)
    }

    /// Runs it, and says what no longer holds at the end.
    func run() throws -> [String] {
        let (board, map, recorder) = (board, map, recording?.recorder)
        let switchesMode = arguments.subject != .unguarded
        let scraper = Threads.start { Workload.scrape(map, board, recorder, switchesMode: switchesMode) }
        let operations = arguments.operations
        let workers = (0..<arguments.threads).map { thread in
            let share = operations * (thread + 1) / arguments.threads - operations * thread / arguments.threads
            let worker = Worker(map: map, thread: UInt8(truncatingIfNeeded: thread), seed: arguments.seed)
            return Threads.start {
                var running = worker
                running.run(operations: share)
                let tally = running.tally
                board.tallies.withLock { $0.append(tally) }
            }
        }
        for worker in workers { pthread_join(worker, nil) }
        board.isDone.store(true, ordering: .releasing)
        pthread_join(scraper, nil)
        return try Workload.problems(map, board)
    }

    /// What the threads share beside the map.
    private final class Board: Sendable {
        let tallies = LockedState<[Tally]>([])
        let isDone = Atomic<Bool>(false)
        let backwards = Atomic<Int>(0)
        let scrapes = Atomic<Int>(0)
        /// The last glance that was taken meanwhile.
        let glance = LockedState<MapGlance?>(nil)
        /// What time it is for entries that expire: a millisecond goes by with each scrape.
        let nanoseconds = Counter()
    }

    /// Reads the counters all the time, as a scrape does and as the indicators do; and, but for the planted race, which one lock would hide, puts the map behind one
    /// lock and back now and then, with an exact count before each switch.
    private static func scrape(
        _ map: any InstrumentedMap, _ board: Board, _ recorder: FlightRecorder?, switchesMode: Bool
    ) {
        var last = map.snapshot()
        var glance = map.glance(now: 0)
        var rounds = 0
        defer { board.glance.withLock { $0 = glance } }
        while !board.isDone.load(ordering: .acquiring) {
            let now = map.snapshot()
            if now.sum(\.writes) < last.sum(\.writes) { board.backwards.add(1, ordering: .relaxed) }
            glance = map.glance(now: UInt64(rounds + 1), since: glance)
            if glance.sums.writes < now.sum(\.writes) { board.backwards.add(1, ordering: .relaxed) }
            board.scrapes.add(1, ordering: .relaxed)
            board.nanoseconds.add(1_000_000)
            last = now
            rounds += 1
            guard switchesMode, rounds % 20 == 0 else { continue }
            _ = map.countExact()
            _ = recorder?.operations(of: map.name.text)
            map.setMode(map.mode == .normal ? .global : .normal)
        }
    }

    private static func problems(_ map: any InstrumentedMap, _ board: Board) throws -> [String] {
        // The time of all that perishes is over, and maintenance has nothing left to do.
        board.nanoseconds.add(1_000_000_000_000)
        while map.maintain(budget: 1_000) > 0 {}
        let snapshot = map.snapshot()
        let glance = map.glance(now: .max, since: board.glance.withLock { $0 })
        let tally = board.tallies.withLock { $0 }.reduce(Tally()) { $0 + $1 }
        let deletes = tally.deletes &+ UInt64(tally.perishing)
        let walk = try map.iterate(.snapshot, prefix: [], maximumBytes: 1 << 40)
        let listed = walk.next(limit: .max, maximumBytes: .max).count
        var problems: [String] = []
        if glance.shards != snapshot.shards.map(ShardGlance.init) {
            problems.append("a glance took over what has changed")
        }
        func expect(_ what: String, _ found: UInt64, _ wanted: UInt64) {
            if found != wanted { problems.append("\(what) is \(found), not \(wanted)") }
        }
        expect("inserts", snapshot.sum(\.inserts), tally.inserts)
        expect("updates", snapshot.sum(\.updates), tally.updates)
        expect("deletes", snapshot.sum(\.deletes), deletes)
        expect("loads", snapshot.sum(\.loads), tally.loads)
        expect("load misses", snapshot.sum(\.loadMisses), tally.loadMisses)
        expect("entries", snapshot.sum(\.entries), tally.inserts &- deletes)
        expect("listed entries", UInt64(listed), tally.inserts &- deletes)
        expect("waiters", snapshot.sum(\.lockWaiters), 0)
        expect("counters that went back", UInt64(board.backwards.load(ordering: .relaxed)), 0)
        expect("torn values", tally.torn, 0)
        expect("outcomes that cannot be", tally.surprises, 0)
        if board.scrapes.load(ordering: .relaxed) == 0 { problems.append("nothing was scraped meanwhile") }
        expect("deleted at the end", UInt64(map.deleteMatching(prefix: [])), UInt64(listed))
        expect("bytes of no entries", map.snapshot().sum(\.liveBytes), 0)
        return problems
    }
}
