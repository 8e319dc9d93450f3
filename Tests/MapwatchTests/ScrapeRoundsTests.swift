import Collectors
import Exposition
import Glibc
import HTTPServer
import InstrumentedMaps
import Instruments
import Synchronization
import TestSupport
import Testing

@testable import MapwatchServer

@Suite("Scrape rounds")
struct ScrapeRoundsTests {
    /// A collector that says when it is in, and stays until it is let out.
    private final class Gate: Collector {
        let name = "gate"
        let entered = Event()
        let mayLeave = Event()
        let visits = Counter()

        func collect(_ scrape: Scrape) -> [MetricFamily] {
            // The first visit is the trial at registration.
            visits.add()
            if visits.value > 1 {
                entered.signal()
                mayLeave.wait()
            }
            return [MetricFamily("gate", .gauge, help: "x", value: .count(visits.value))]
        }
    }

    /// Each wait takes one signal.
    private final class Event: Sendable {
        private let signals = Monitor(0)

        func signal() { signals.withLock { $0 += 1 } }

        func wait() {
            #expect(signals.wait(until: MonotonicClock.nanoseconds() + 60_000_000_000) { $0 > 0 })
            signals.withLock { $0 -= 1 }
        }
    }

    private struct Quick: Collector {
        let name = "quick"

        func collect(_ scrape: Scrape) -> [MetricFamily] {
            [MetricFamily("quick", .gauge, help: "x", value: .count(1))]
        }
    }

    private let gate = Gate()
    private let snapshots = Tally()

    private final class Tally: Sendable {
        private let count = Counter()

        var value: UInt64 { count.value }

        func add() { count.add() }
    }

    private func rounds(_ collectors: [any Collector]) throws -> (ScrapeRounds, Gatherer) {
        let gatherer = try Gatherer(collectors, nanoseconds: MonotonicClock.nanoseconds) { _, _ in }
        let rounds = ScrapeRounds(gatherer: gatherer, nanoseconds: MonotonicClock.nanoseconds) { [snapshots] _ in
            snapshots.add()
            return HostSnapshot(maps: [], mapsDropped: snapshots.value)
        }
        return (rounds, gatherer)
    }

    @Test("scrapes that arrive during a gather share the next, whose snapshot is younger than their request")
    func sharesTheNext() throws {
        let (rounds, _) = try rounds([gate])
        let seen = Mutex<[UInt64]>([])
        ThreadGroup.run(9) { [gate, snapshots] number in
            if number == 0 {
                #expect(rounds.next(deadline: nil)?.maps.mapsDropped == 1)
                return
            }
            if number == 1 {
                // Everybody waits for the second round before the first may end.
                gate.entered.wait()
                #expect(snapshots.value == 1)
                while rounds.waiting < 8 { sched_yield() }
                gate.mayLeave.signal()
                gate.entered.wait()
                gate.mayLeave.signal()
                return
            }
            while gate.visits.value < 2 { sched_yield() }
            if let gathered = rounds.next(deadline: nil) { seen.withLock { $0.append(gathered.maps.mapsDropped) } }
        }
        #expect(seen.withLock { $0 } == Array(repeating: 2, count: 7))
        #expect(snapshots.value == 2)
        #expect(rounds.waiting == 0)
    }

    @Test("at its deadline a scrape has what is ready, and the stuck collector is left out until it is back")
    func leavesAtDeadline() throws {
        let (rounds, gatherer) = try rounds([Quick(), gate])
        func success(_ gathered: Gathered?) throws -> [Double] {
            let gathered = try #require(gathered)
            let scrape = Scrape(maps: gathered.maps, sizeDeltas: nil)
            let page = try CheckedExposition(TextFormat.render(gatherer.families(of: gathered.collected, for: scrape)))
            #expect(page.value("quick") == 1)
            return page.samples("mapwatch_collector_success").map(\.value)
        }
        func soon() -> UInt64 { MonotonicClock.nanoseconds() + 1_000_000_000 }
        // The first round is stuck in the gate; the second begins beside it and leaves the gate out.
        #expect(try success(rounds.next(deadline: soon())) == [1, 0])
        #expect(try success(rounds.next(deadline: soon())) == [1, 0])
        #expect(snapshots.value == 2)
        gate.entered.wait()
        gate.mayLeave.signal()
        // Let out, it takes part again.
        gate.mayLeave.signal()
        let page = try pollUntilBack(rounds)
        #expect(try success(page) == [1, 1])
    }

    /// The first round that the gate takes part in again.
    private func pollUntilBack(_ rounds: ScrapeRounds) throws -> Gathered? {
        for _ in 0..<10_000 {
            let gathered = rounds.next(deadline: nil)
            if gathered?.collected[1] != nil { return gathered }
            sched_yield()
        }
        return nil
    }

    @Test("a hurried scrape gets an answer before its round has begun, and takes nothing from the others")
    func hurried() throws {
        let (rounds, _) = try rounds([Quick()])
        let gathered = rounds.next(deadline: 0)
        #expect(gathered?.collected.count ?? 1 == 1)
        #expect(rounds.next(deadline: nil)?.collected.compactMap { $0 }.count == 1)
    }

    @Test("one after the other, each scrape has a snapshot of its own")
    func alone() throws {
        let (rounds, _) = try rounds([Quick()])
        for number in 1...5 { #expect(rounds.next(deadline: nil)?.maps.mapsDropped == UInt64(number)) }
    }
}
