import Instruments
import TestSupport
import Testing

@Suite("ShardLock")
struct ShardLockTests {
    /// A lock with a plain value that only the lock protects.
    private final class Guarded: @unchecked Sendable {
        let lock = ShardLock()
        // Safety: only touched inside `lock`; whether that suffices is what these tests find out.
        var plain = 0
    }

    private struct Refused: Error, Equatable {}

    @Test("increments of a plain value on eight threads lose nothing, and each acquisition is counted")
    func incrementsLoseNothing() {
        let guarded = Guarded()
        ThreadGroup.run(8) { _ in
            for _ in 0..<20_000 { guarded.lock.withLock { guarded.plain += 1 } }
        }
        let sample = guarded.lock.meter.sample(now: MonotonicClock.nanoseconds())
        #expect(guarded.plain == 160_000)
        #expect(sample.acquired == 160_000)
        #expect(sample.waiters == 0)
        #expect(sample.contended <= sample.acquired)
    }

    @Test("a lock that nobody else wants counts no wait")
    func uncontendedReadsNoClock() {
        let guarded = Guarded()
        for _ in 0..<1_000 { guarded.lock.withLock { guarded.plain += 1 } }
        #expect(guarded.lock.meter.sample(now: MonotonicClock.nanoseconds()) == LockSample(acquired: 1_000))
    }

    @Test("four waiters show while they wait, and each one's wait is counted in full")
    func everyWaiterIsCounted() {
        let guarded = Guarded()
        let waiters = ThreadGroup()
        var held: UInt64 = 0
        guarded.lock.withLock {
            for _ in 0..<4 { waiters.start { guarded.lock.withLock { guarded.plain += 1 } } }
            #expect(eventually { guarded.lock.meter.waiters == 4 })
            let start = MonotonicClock.nanoseconds()
            // Held for a while that is measured, not guessed: until the clock has moved by two milliseconds.
            #expect(eventually { MonotonicClock.nanoseconds() - start > 2_000_000 })
            let now = MonotonicClock.nanoseconds()
            var sample = guarded.lock.meter.sample(now: now)
            held = now - start
            // The stall shows while it lasts, before any wait has ended.
            #expect(sample.longestWaitNanoseconds + 1_000 > held)
            sample.longestWaitNanoseconds = 0
            #expect(sample == LockSample(acquired: 1, waiters: 4, averted: AvertedConflicts(writeWrites: 4)))
        }
        waiters.join()
        let sample = guarded.lock.meter.sample(now: MonotonicClock.nanoseconds())
        #expect(sample.waitNanoseconds >= 4 * held)
        #expect(sample.longestWaitNanoseconds >= held)
        #expect(sample.contended == 4)
        #expect(sample.acquired == 5)
        #expect(sample.waiters == 0)
        #expect(guarded.plain == 4)
    }

    @Test("an error leaves the lock free, and arrives typed")
    func errorsRelease() {
        let guarded = Guarded()
        #expect(throws: Refused()) {
            try guarded.lock.withLock { () throws(Refused) in throw Refused() }
        }
        #expect(guarded.lock.withLock { guarded.plain } == 0)
        #expect(guarded.lock.meter.sample(now: MonotonicClock.nanoseconds()) == LockSample(acquired: 2))
    }
}
