import Instruments
import TestSupport
import Testing

@Suite("Counter")
struct CounterTests {
    private final class Cell: Sendable {
        let counter = Counter()
    }

    @Test("a fresh counter is 0")
    func startsAtZero() {
        let cell = Cell()
        #expect(cell.counter.value == 0)
    }

    @Test("adds from any thread lose nothing")
    func addsFromManyThreads() {
        let cell = Cell()
        ThreadGroup.run(8) { _ in
            for _ in 0..<20_000 { cell.counter.add(3) }
        }
        #expect(cell.counter.value == 8 * 20_000 * 3)
    }

    @Test("as many subtracts as adds from many threads end at 0")
    func addsAndSubtractsMeet() {
        let cell = Cell()
        ThreadGroup.run(8) { thread in
            for _ in 0..<20_000 {
                if thread % 2 == 0 { cell.counter.add() } else { cell.counter.subtract() }
            }
        }
        #expect(cell.counter.value == 0)
    }

    @Test("exclusive adds, subtracts and sets show the sum at once")
    func exclusiveArithmetic() {
        let cell = Cell()
        cell.counter.addExclusively()
        cell.counter.addExclusively(41)
        #expect(cell.counter.value == 42)
        cell.counter.subtractExclusively(40)
        #expect(cell.counter.value == 2)
        cell.counter.set(7)
        #expect(cell.counter.value == 7)
    }

    @Test("a counter wraps instead of trapping, as a Prometheus counter must not take the service down")
    func wrapsAround() {
        let cell = Cell()
        cell.counter.set(.max)
        cell.counter.addExclusively(2)
        #expect(cell.counter.value == 1)
        cell.counter.set(.max)
        cell.counter.add(3)
        #expect(cell.counter.value == 2)
    }

    @Test("the monotonic clock never goes back")
    func clockNeverGoesBack() {
        var last = MonotonicClock.nanoseconds()
        for _ in 0..<100_000 {
            let now = MonotonicClock.nanoseconds()
            guard now >= last else {
                Issue.record("the clock went from \(last) to \(now)")
                return
            }
            last = now
        }
        #expect(eventually { MonotonicClock.nanoseconds() > last })
    }
}
