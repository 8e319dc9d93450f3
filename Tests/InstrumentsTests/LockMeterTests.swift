import Instruments
import TestSupport
import Testing

/// With a clock that the tests hold in their hands.
@Suite("LockMeter")
struct LockMeterTests {
    private static let second: UInt64 = 1_000_000_000
    /// Just before the clock of the longest wait starts a new ten seconds.
    private static let start = 1_000 * 10 * second - 1

    private final class Metered: Sendable {
        let waits = LatencyRecord(.lockWaits)
        let meter: LockMeter

        init() { meter = LockMeter(WaitRecord(waits, shard: 7)) }

        func wait(from began: UInt64, to now: UInt64) {
            meter.beginWait(now: began)
            meter.endWait(began: began, now: now, exclusively: true)
        }

        func longest(now: UInt64) -> UInt64 { meter.sample(now: now).longestWaitNanoseconds }
    }

    @Test("a fresh meter shows zeros")
    func startsAtZero() {
        let metered = Metered()
        #expect(metered.meter.sample(now: Self.start) == LockSample())
        #expect(metered.meter.sample(now: 0) == LockSample())
    }

    @Test("a wait that has ended is the longest for 120 seconds, and gone ten seconds later", arguments: 0..<20)
    func waitsAreRemembered(seconds: UInt64) {
        let metered = Metered()
        let end = Self.start + seconds * Self.second
        metered.wait(from: end - 7_000, to: end)
        #expect(metered.longest(now: end) == 7_000)
        #expect(metered.longest(now: end + 120 * Self.second) == 7_000)
        #expect(metered.longest(now: end + 130 * Self.second) == 0)
        #expect(metered.longest(now: end + 5_000 * Self.second) == 0)
    }

    @Test("the longest of several counts, and when it is too old the longest of the rest")
    func longestWins() {
        let metered = Metered()
        let start = Self.start
        metered.wait(from: start - 50, to: start)
        metered.wait(from: start - 900, to: start)
        metered.wait(from: start - 20, to: start)
        let later = start + 60 * Self.second
        metered.wait(from: later - 400, to: later)
        #expect(metered.longest(now: later) == 900)
        #expect(metered.longest(now: start + 130 * Self.second) == 400)
        // A cell is used again, without a trace of what it held.
        let reused = start + 130 * Self.second
        metered.wait(from: reused - 30, to: reused)
        #expect(metered.longest(now: reused + 120 * Self.second) == 30)
    }

    @Test("a wait that lasts shows its length so far, to the microsecond, from when the waiters left 0")
    func stallsShowWhileTheyLast() {
        let metered = Metered()
        let began = Self.start
        metered.meter.beginWait(now: began)
        #expect(metered.longest(now: began) < 1_000)
        metered.meter.beginWait(now: began + 2 * Self.second)
        let now = began + 3 * Self.second
        let sample = metered.meter.sample(now: now)
        #expect(sample.waiters == 2)
        #expect(sample.contended == 0)
        #expect((3 * Self.second..<3 * Self.second + 1_000).contains(sample.longestWaitNanoseconds))
        // The first one gets in, the second still waits: somebody has been waiting all the time.
        metered.meter.endWait(began: began, now: now, exclusively: true)
        #expect(metered.longest(now: now + Self.second) >= 4 * Self.second)
        metered.meter.endWait(began: began + 2 * Self.second, now: now + Self.second, exclusively: true)
        // Nobody waits: what remains are the two waits that ended, three and two seconds long.
        #expect(metered.longest(now: now + Self.second) == 3 * Self.second)
        // The next wait starts from its own beginning.
        metered.meter.beginWait(now: now + 200 * Self.second)
        #expect(metered.longest(now: now + 200 * Self.second) < 1_000)
    }

    @Test("a scrape whose clock was read before a wait began or ended shows no endless wait")
    func clocksMayCross() {
        let metered = Metered()
        metered.meter.beginWait(now: Self.start + 5_000)
        #expect(metered.longest(now: Self.start) == 0)
        metered.meter.endWait(began: Self.start + 5_000, now: Self.start + 5_300, exclusively: false)
        #expect(metered.longest(now: Self.start) == 300)
    }

    @Test("every ended wait is counted by its length, and the sums agree")
    func waitsAreCounted() {
        let metered = Metered()
        metered.wait(from: 0, to: 1_000)
        metered.wait(from: 0, to: 1_001)
        metered.wait(from: 0, to: 5 * Self.second)
        let waits = metered.waits.sample
        #expect(waits.counts == [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
        let sample = metered.meter.sample(now: 5 * Self.second)
        #expect(sample.contended == 3)
        #expect(sample.waitNanoseconds == 5 * Self.second + 2_001)
        #expect(waits.sumNanoseconds == sample.waitNanoseconds)
    }

    @Test("waiters that come and go on many threads leave none behind")
    func waitersMeet() {
        let metered = Metered()
        ThreadGroup.run(4) { thread in
            for round in 0..<5_000 { metered.wait(from: UInt64(round), to: UInt64(round + thread)) }
        }
        let sample = metered.meter.sample(now: 5_000)
        #expect(sample.waiters == 0)
        #expect(sample.longestWaitNanoseconds == 3)
    }
}
