import InstrumentedMaps
import Glibc
import TestSupport
import Testing

/// The concurrency test of the articles, with their numbers: 50 readers and 50 writers at once.
///
/// Each writer counts up in a key of its own and announces what it has written; a reader that then finds less has read
/// stale. All writers also count up in one key together, in one step each: what is missing there at the end was lost.
@Suite("The articles' concurrency test")
struct ArticleConcurrencyTests {
    private static let writers = 50
    private static let readers = 50
    private static let writesEach = 400
    private static let shared: [UInt8] = Array("shared".utf8)

    private static func own(_ writer: Int) -> [UInt8] { Array("writer-\(writer)".utf8) }

    /// Eight bytes, least first.
    private static func bytes(_ number: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    private static func number(_ bytes: [UInt8]?) -> Int {
        (bytes ?? []).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// What the threads of one run share.
    private final class Run: Sendable {
        let map: any InstrumentedMap
        /// By writer: what its key holds at least.
        let announced: [Tally]
        let begun = Tally()
        let ended = Tally()
        let stale = Tally()
        let reads = Tally()

        init(_ map: any InstrumentedMap) {
            self.map = map
            announced = (0..<ArticleConcurrencyTests.writers).map { _ in Tally() }
        }

        /// Nobody starts before all are there.
        func meet() {
            begun.add()
            while begun.value < ArticleConcurrencyTests.writers + ArticleConcurrencyTests.readers { sched_yield() }
        }
    }

    @Test(
        "50 readers and 50 writers at once: nobody dies, no update is lost, no read is stale",
        arguments: MapShape.oneEach)
    func fiftyAndFifty(shape: MapShape) throws {
        let run = Run(try shape.make())
        ThreadGroup.run(Self.writers + Self.readers) { thread in
            if thread < Self.writers { Self.write(thread, run) } else { Self.read(thread, run) }
        }
        #expect(run.stale.value == 0)
        #expect(run.reads.value > 0)
        for writer in 0..<Self.writers {
            #expect(Self.number(run.map.load(Self.own(writer))) == Self.writesEach)
        }
        #expect(Self.number(run.map.load(Self.shared)) == Self.writers * Self.writesEach, "no update is lost")
        let counted = run.map.snapshot()
        #expect(counted.sum(\.inserts) == UInt64(Self.writers + 1))
        #expect(counted.sum(\.updates) == UInt64(2 * Self.writers * Self.writesEach - Self.writers - 1))
    }

    private static func write(_ writer: Int, _ run: Run) {
        let key = own(writer)
        run.meet()
        for number in 1...writesEach {
            run.map.store(key, bytes(number))
            run.announced[writer].add()
            run.map.update(shared) { value in value = bytes(Self.number(value) + 1) }
        }
        run.ended.add()
    }

    private static func read(_ thread: Int, _ run: Run) {
        var generator = SeededGenerator(seed: TestSeed.value &+ UInt64(thread))
        var sharedSeen = 0
        run.meet()
        while run.ended.value < writers {
            let writer = Int.random(in: 0..<writers, using: &generator)
            let least = run.announced[writer].value
            if number(run.map.load(own(writer))) < least { run.stale.add() }
            let shared = number(run.map.load(shared))
            if shared < sharedSeen { run.stale.add() }
            sharedSeen = shared
            run.reads.add()
        }
    }

    // MARK: - A map that finds out

    /// Whoever is in the shard first stays there until all writers have come and one has met it.
    private final class Barrier: OperationObserver {
        static let writers = 100
        let come = Tally()
        private let conflicts = Tally()
        private let isFirst = Flag()

        func insideCriticalSection(_ shard: Int, _ operation: ObservedOperation) {
            // Inside, so nobody else asks at the same time.
            if isFirst.isRaised { return }
            isFirst.raise()
            let haveMet = eventually { come.value == Barrier.writers && conflicts.value > 0 }
            precondition(haveMet, "\(come.value) writers have come, and nobody has met anybody")
        }

        func didConflict(_ conflict: MapConflict) { conflicts.add() }

        /// All writers at once on one shard of a map of `checked`.
        static func run(_ policy: ConflictPolicy) throws -> any InstrumentedMap {
            let barrier = Barrier()
            let host = MapHost(observer: { _, _, _ in barrier }, secondsSince1970: { 0 })
            let name = try MapName("orders")
            _ = try host.create(name, MapOptions(strategy: .checked, shards: 1, policy: policy))
            let map = try host.mapForWriting(name)
            ThreadGroup.run(writers) { writer in
                barrier.come.add()
                map.store(Array("writer-\(writer)".utf8), [1])
            }
            return map
        }
    }

    @Test("100 writers on a map of checked with trap, forced to overlap, end the process with the articles' words")
    func hundredWriters() async throws {
        let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            _ = try Barrier.run(.trap)
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("concurrent map writes"), "\(text.suffix(500))")
    }

    @Test("100 writers on a map of checked with count, forced to overlap, are found out and lose nothing")
    func hundredWritersCounted() throws {
        let map = try Barrier.run(.count)
        #expect(map.count == Barrier.writers)
        #expect(try #require(map.snapshot().conflicts).writeWrites > 0)
    }
}
