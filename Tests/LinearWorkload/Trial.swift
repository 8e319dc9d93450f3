import Glibc
public import InstrumentedMaps
import Instruments
public import Linearizability
import TestSupport

// One map under attack, in rounds:
//
//     hot workers   load, store, delete the same few keys, every reply recorded     ┐
//     churner       grows and shrinks the tables with keys of its own               ├ at once, then all stand still:
//     observer      iterates (recorded as loads), maintains, scrapes                ┘ histories and ledger are checked

/// Runs a plan on a map and says what was wrong.
public struct Trial {
    private let map: any InstrumentedMap
    private let plan: Plan
    private let clock = HistoryClock()
    private var checker: HistoryChecker
    private var answers = Answers()
    private var churner: Churner
    private var nextValue: UInt64 = 1

    /// Operations on hot keys that were done and checked.
    public private(set) var operations = 0
    /// Iterations and maintenance moves beside them.
    public private(set) var iterations = 0
    public private(set) var moves = 0

    public init(_ map: any InstrumentedMap, _ plan: Plan) {
        self.map = map
        self.plan = plan
        checker = HistoryChecker(keys: plan.keys)
        churner = Churner(map: map, seed: plan.seed)
        if plan.isCalm { churner.fill() }
    }

    /// How often the tables have grown and shrunk beside them.
    public var cycles: Int { churner.cycles }

    /// What the checker has looked at.
    public var statistics: HistoryStatistics { checker.statistics }

    /// Runs round after round until the plan is done or something is wrong; `didRound` hears of each. Returns what was
    /// wrong.
    public mutating func run(didRound: (borrowing Trial) -> Void = { _ in }) -> [String] {
        while operations < plan.operations {
            let problems = round(min(plan.round, plan.operations - operations))
            didRound(self)
            if !problems.isEmpty { return problems }
        }
        return finish()
    }

    // MARK: - One round

    /// What the threads of one round hand back.
    private struct Results: Sendable {
        var workers: [HotWorker] = []
        var churner: Churner?
        var observer: Observer?
    }

    private final class Board: Sendable {
        let results = LockedState(Results())
        let arrived = TestSupport.Tally()
        let done = Flag()
    }

    private mutating func round(_ count: Int) -> [String] {
        let board = Board()
        let beside = startBeside(board)
        let hot = ThreadGroup()
        let threads = plan.threads
        for thread in 0..<threads {
            let share = count * (thread + 1) / threads - count * thread / threads
            let worker = HotWorker(
                map: map, plan: plan, thread: thread, operations: share, firstValue: nextValue, clock: clock)
            nextValue += UInt64(share)
            hot.start {
                var running = worker
                // Nobody begins before all are there.
                board.arrived.add()
                while board.arrived.value < threads { sched_yield() }
                running.run()
                let result = running
                board.results.withLock { $0.workers.append(result) }
            }
        }
        hot.join()
        board.done.raise()
        beside.join()
        operations += count
        return check(board.results.withLock { $0 })
    }

    private func startBeside(_ board: Board) -> ThreadGroup {
        let group = ThreadGroup()
        let observer = Observer(
            map: map, plan: plan, thread: plan.threads, seed: plan.seed &+ nextValue, clock: clock)
        group.start {
            var running = observer
            running.run(until: board.done)
            let result = running
            board.results.withLock { $0.observer = result }
        }
        guard !plan.isCalm else { return group }
        let churner = churner
        group.start {
            var running = churner
            running.run(until: board.done)
            let result = running
            board.results.withLock { $0.churner = result }
        }
        return group
    }

    // MARK: - Checking

    private mutating func check(_ results: Results) -> [String] {
        var problems: [String] = []
        var history: [Operation] = []
        for worker in results.workers {
            history += worker.history.operations
            answers.add(worker.answers)
        }
        if let observer = results.observer {
            history += observer.history.operations
            problems += observer.problems
            iterations += observer.iterations
            moves += observer.moves
        }
        if let churned = results.churner {
            churner = churned
            problems += churned.problems
        }
        problems += checker.check(history).map(\.description)
        return problems + (plan.keepsLedger ? ledgerProblems() : [])
    }

    private func ledgerProblems() -> [String] {
        var all = answers
        all.add(churner.answers)
        return all.problems(with: map.snapshot())
    }

    /// Everything stands still: each key once more, every entry listed once, and then nothing left.
    private mutating func finish() -> [String] {
        var observer = Observer(map: map, plan: plan, thread: 0, seed: plan.seed, clock: clock)
        observer.iterate(.live)
        observer.iterate(.snapshot)
        churner.audit()
        var problems = observer.problems + churner.problems
        problems += checker.check(observer.history.operations).map(\.description)
        guard plan.keepsLedger else { return problems }
        problems += ledgerProblems()
        let hot = (0..<plan.keys).count { checker.states(of: $0) != [Operation.absent] }
        let listed = map.deleteMatching(prefix: [])
        if listed != hot + churner.keysPresent {
            problems.append("ledger: \(listed) entries were left, not \(hot + churner.keysPresent)")
        }
        let after = map.snapshot()
        if after.sum(\.entries) != 0 || after.sum(\.liveBytes) != 0 {
            problems.append("ledger: \(after.sum(\.entries)) entries, \(after.sum(\.liveBytes)) bytes of no entries")
        }
        return problems
    }
}
