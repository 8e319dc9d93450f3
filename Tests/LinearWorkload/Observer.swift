import Glibc
import InstrumentedMaps
import Linearizability
import TestSupport

/// The thread that iterates, tidies up and scrapes.
///
/// An iteration over the hot keys is one load of each of them, somewhere between its beginning and its end: a snapshot
/// copies a shard at one moment, and a live walk that omits a key has found it absent at some moment.
struct Observer: Sendable {
    private let map: any InstrumentedMap
    private let plan: Plan
    private(set) var history: HistoryBuffer
    private(set) var problems: [String] = []
    private(set) var iterations = 0
    private(set) var moves = 0
    private var generator: SeededGenerator

    init(map: any InstrumentedMap, plan: Plan, thread: Int, seed: UInt64, clock: HistoryClock) {
        self.map = map
        self.plan = plan
        history = HistoryBuffer(thread: UInt8(thread), capacity: max(1_000, plan.round / 4), clock: clock)
        generator = SeededGenerator(seed: seed)
    }

    mutating func run(until done: Flag) {
        var last = map.snapshot()
        while !done.isRaised, problems.isEmpty {
            iterate(generator.next() & 1 == 0 ? .snapshot : .live)
            if !plan.isCalm { moves += map.maintain(budget: 1 + Int(generator.next() % 512)) }
            let now = map.snapshot()
            if now.sum(\.writes) < last.sum(\.writes) { problems.append("ledger: a counter went back") }
            last = now
            sched_yield()
        }
    }

    /// One iteration, noted as loads of all hot keys.
    mutating func iterate(_ kind: IterationKind) {
        let invoked = history.tick()
        guard let iterator = try? map.iterate(kind, prefix: [1], maximumBytes: 1 << 30) else {
            problems.append("\(kind): the iteration was refused")
            return
        }
        var values = [UInt64](repeating: Operation.absent, count: plan.keys)
        while !iterator.isAtEnd {
            for entry in iterator.next(limit: 2, maximumBytes: .max) {
                let number = Int(entry.key[1])
                if values[number] != Operation.absent { problems.append("\(kind): key \(number) was shown twice") }
                values[number] = ValueCode.decode(entry.value)
            }
        }
        let responded = history.tick()
        iterations += 1
        guard history.room >= plan.keys else { return }
        for (number, value) in values.enumerated() {
            history.note(
                .load, key: UInt16(number), found: value != Operation.absent, value: value, from: invoked,
                to: responded)
        }
    }
}
