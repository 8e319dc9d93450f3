// Gathering, shared by all scrapes that wait for it.
//
//     round 1   ├───────────────┤
//     A asks    ┴ begins round 1, has it at its end
//     B asks         ┴ round 1 began before B asked: B waits for round 2, as does
//     C asks             ┴ C
//     round 2                   ├───────────────┤   one gather for both
//
// So no answer shows a state from before its request, and however many ask, at most one round runs and one waits. A round
// runs on a thread of its own to its end. Whoever asks leaves at its own deadline with what is ready: a hurried scraper
// gets less and takes nothing from the others. A round that is stuck in a collector is left behind when it has kept the
// next one waiting for half of a scraper's patience; until it comes back that collector is left out.
//
// Bounds: the lock is held for a look at the state, never while gathering.

import Collectors
import HTTPServer
import InstrumentedMaps

/// What one scrape got of a round.
struct Gathered: Sendable {
    let maps: HostSnapshot
    /// When the snapshot was taken, in monotonic time.
    let nanoseconds: UInt64
    /// By collector; nil for those that were not ready.
    var collected: [Collected?]
}

/// Runs the rounds. Concurrency: any thread; ``next(deadline:)`` blocks.
final class ScrapeRounds: Sendable {
    private struct Round: Sendable {
        var gathered: Gathered?
        var isDone = false
        var waiters = 0
    }

    private struct State: Sendable {
        var rounds: [UInt64: Round] = [:]
        var lastNumber: UInt64 = 0
        var running: UInt64?
        var next: UInt64?
        /// Collectors that a round is in now.
        var busy: Set<Int> = []
    }

    private let state = Monitor(State())
    /// The maps' labels, kept from round to round.
    let labels = MapLabelCache()
    private let snapshot: @Sendable (_ now: UInt64) -> HostSnapshot
    private let gatherer: Gatherer
    private let nanoseconds: @Sendable () -> UInt64

    /// `nanoseconds` is the kernel's monotonic clock, since deadlines are waited for.
    init(
        gatherer: Gatherer, nanoseconds: @escaping @Sendable () -> UInt64,
        snapshot: @escaping @Sendable (_ now: UInt64) -> HostSnapshot
    ) {
        self.gatherer = gatherer
        self.nanoseconds = nanoseconds
        self.snapshot = snapshot
    }

    /// What the first round to begin from now on has gathered by its end, or by `deadline`; nil when it has not begun by
    /// then.
    func next(deadline: UInt64?) -> Gathered? {
        let deadline = deadline ?? .max
        let (number, mustRun) = state.withLock { ScrapeRounds.join(&$0) }
        if mustRun { DetachedThread.run { self.run(from: number) } }
        let now = nanoseconds()
        let patience = now &+ (max(deadline, now) &- now) / 2
        if !state.wait(until: patience, for: { $0.rounds[number]?.gathered != nil }) {
            leaveBehind(roundBefore: number)
        }
        _ = state.wait(until: deadline) { $0.rounds[number]?.isDone == true }
        return state.withLock { ScrapeRounds.leave(&$0, number) }
    }

    /// Scrapes that wait now.
    var waiting: Int { state.withLock { $0.rounds.values.reduce(0) { $0 + $1.waiters } } }

    /// The round to wait for, and whether the caller is to run it.
    private static func join(_ state: inout State) -> (number: UInt64, mustRun: Bool) {
        if let next = state.next {
            state.rounds[next]?.waiters += 1
            return (next, false)
        }
        state.lastNumber += 1
        let number = state.lastNumber
        state.rounds[number] = Round(waiters: 1)
        let isIdle = state.running == nil
        if isIdle { state.running = number } else { state.next = number }
        return (number, isIdle)
    }

    /// Takes what there is; the last to leave a round that is over takes it away.
    private static func leave(_ state: inout State, _ number: UInt64) -> Gathered? {
        guard let round = state.rounds[number] else { return nil }
        state.rounds[number]?.waiters -= 1
        if round.isDone, round.waiters == 1 { state.rounds[number] = nil }
        return round.gathered
    }

    /// Runs this round and those that follow.
    private func run(from first: UInt64) {
        var number: UInt64? = first
        while let round = number {
            gather(round)
            number = state.withLock { ScrapeRounds.end(&$0, round) }
        }
    }

    private func gather(_ number: UInt64) {
        let now = nanoseconds()
        let maps = snapshot(now)
        labels.keep(only: maps.maps)
        let gathered = Gathered(
            maps: maps, nanoseconds: now, collected: Array(repeating: nil, count: gatherer.sharedCount))
        state.withLock { $0.rounds[number]?.gathered = gathered }
        let scrape = Scrape(maps: maps, sizeDeltas: nil, labels: labels)
        for index in 0..<gatherer.sharedCount where state.withLock({ $0.busy.insert(index).inserted }) {
            let collected = gatherer.collectShared(index, scrape)
            state.withLock { state in
                state.busy.remove(index)
                state.rounds[number]?.gathered?.collected[index] = collected
            }
        }
    }

    /// Ends a round; the number of the one that the caller is to run next.
    private static func end(_ state: inout State, _ number: UInt64) -> UInt64? {
        state.rounds[number]?.isDone = true
        if state.rounds[number]?.waiters == 0 { state.rounds[number] = nil }
        // A round that was left behind has given its place away already.
        guard state.running == number else { return nil }
        state.running = state.next
        state.next = nil
        return state.running
    }

    /// Begins the round `number` although the one before it has not ended.
    private func leaveBehind(roundBefore number: UInt64) {
        let mustRun = state.withLock { state in
            guard state.next == number else { return false }
            state.running = number
            state.next = nil
            return true
        }
        if mustRun { DetachedThread.run { self.run(from: number) } }
    }
}
