import Instruments
import TestSupport
import Testing

@Suite("ReadWriteLock")
struct ReadWriteLockTests {
    /// A lock with two plain values that are equal whenever no writer is inside.
    private final class Guarded: @unchecked Sendable {
        let lock = ReadWriteLock()
        // Safety: written only inside the exclusive side; whether that suffices is what these tests find out.
        var left = 0
        var right = 0
    }

    @Test("readers overlap: four meet inside the lock")
    func readersOverlap() {
        let guarded = Guarded()
        let inside = Tally()
        let met = Tally()
        ThreadGroup.run(4) { _ in
            guarded.lock.withSharedLock {
                inside.add()
                if eventually({ inside.value == 4 }) { met.add() }
            }
        }
        #expect(met.value == 4)
        #expect(guarded.lock.meter.sample(now: MonotonicClock.nanoseconds()).acquired == 4)
    }

    @Test("writers lose no increment and readers never see half a write")
    func writersExclude() {
        let guarded = Guarded()
        let torn = Tally()
        ThreadGroup.run(8) { thread in
            for _ in 0..<5_000 {
                if thread < 4 {
                    guarded.lock.withExclusiveLock {
                        guarded.left += 1
                        guarded.right += 1
                    }
                } else {
                    guarded.lock.withSharedLock {
                        if guarded.left != guarded.right { torn.add() }
                    }
                }
            }
        }
        #expect(torn.value == 0)
        #expect(guarded.left == 20_000)
        #expect(guarded.right == 20_000)
        let sample = guarded.lock.meter.sample(now: MonotonicClock.nanoseconds())
        #expect(sample.acquired == 40_000)
        #expect(sample.waiters == 0)
    }

    @Test("a writer waits for a reader to leave, and its wait is counted in full")
    func writerWaitsForReader() {
        let guarded = Guarded()
        let group = ThreadGroup()
        let written = Flag()
        var held: UInt64 = 0
        guarded.lock.withSharedLock {
            group.start { guarded.lock.withExclusiveLock { written.raise() } }
            #expect(eventually { guarded.lock.meter.waiters == 1 })
            let start = MonotonicClock.nanoseconds()
            #expect(eventually { MonotonicClock.nanoseconds() - start > 1_000_000 })
            #expect(!written.isRaised)
            held = MonotonicClock.nanoseconds() - start
        }
        group.join()
        #expect(written.isRaised)
        let sample = guarded.lock.meter.sample(now: MonotonicClock.nanoseconds())
        #expect(sample.waitNanoseconds >= held)
        #expect(sample.contended == 1)
        #expect(sample.waiters == 0)
    }

    @Test("readers and writers wait for a writer to leave, each counted in full")
    func everybodyWaitsForWriter() {
        let guarded = Guarded()
        let group = ThreadGroup()
        let entered = Tally()
        var held: UInt64 = 0
        guarded.lock.withExclusiveLock {
            for _ in 0..<3 { group.start { guarded.lock.withSharedLock { _ = entered.add() } } }
            group.start { guarded.lock.withExclusiveLock { _ = entered.add() } }
            #expect(eventually { guarded.lock.meter.waiters == 4 })
            let start = MonotonicClock.nanoseconds()
            #expect(eventually { MonotonicClock.nanoseconds() - start > 1_000_000 })
            #expect(entered.value == 0)
            held = MonotonicClock.nanoseconds() - start
        }
        group.join()
        let sample = guarded.lock.meter.sample(now: MonotonicClock.nanoseconds())
        #expect(entered.value == 4)
        #expect(sample.waitNanoseconds >= 4 * held)
        #expect(sample.contended == 4)
        #expect(sample.acquired == 5)
        #expect(sample.waiters == 0)
    }

    @Test("a waiting writer is let in before readers that come after it")
    func writersArePreferred() {
        let guarded = Guarded()
        let group = ThreadGroup()
        guarded.lock.withSharedLock {
            group.start { guarded.lock.withExclusiveLock { guarded.left += 1 } }
            #expect(eventually { guarded.lock.meter.waiters == 1 })
            // A waiter shows before it parks, so readers may still slip past it: send some until one has to wait.
            let reader = Flag()
            group.start {
                while guarded.lock.withSharedLock({ guarded.left == 0 }) {}
                reader.raise()
            }
            #expect(eventually { guarded.lock.meter.waiters == 2 })
            #expect(!reader.isRaised)
        }
        group.join()
        #expect(guarded.left == 1)
    }

    @Test("readers that hand over to each other without a gap do not keep a writer out")
    func writersAreNotStarved() {
        let guarded = Guarded()
        let group = ThreadGroup()
        let entered = Tally()
        let written = Flag()
        for _ in 0..<3 {
            group.start {
                while !written.isRaised {
                    guarded.lock.withSharedLock {
                        // Nobody leaves before the next one has come, or cannot come because the writer waits.
                        let mine = entered.add()
                        _ = eventually {
                            entered.value > mine || guarded.lock.meter.waiters > 0 || written.isRaised
                        }
                    }
                }
            }
        }
        #expect(eventually { entered.value > 10 })
        group.start {
            guarded.lock.withExclusiveLock { guarded.left += 1 }
            written.raise()
        }
        group.join()
        #expect(guarded.left == 1)
    }

    @Test("writers that hand over to each other without a gap do not keep a reader out")
    func readersAreNotStarved() {
        let guarded = Guarded()
        let group = ThreadGroup()
        let hasRead = Flag()
        for _ in 0..<3 {
            group.start {
                while !hasRead.isRaised {
                    guarded.lock.withExclusiveLock {
                        guarded.left += 1
                        _ = eventually { guarded.lock.meter.waiters > 0 || hasRead.isRaised }
                    }
                }
            }
        }
        group.start {
            while guarded.lock.withSharedLock({ guarded.left }) < 10 {}
            hasRead.raise()
        }
        group.join()
        #expect(hasRead.isRaised)
    }

    @Test("many threads on one lock, some of them long asleep, all come to their end with nothing lost")
    func crowdsComeThrough() {
        let guarded = Guarded()
        let torn = Tally()
        ThreadGroup.run(24) { thread in
            for round in 0..<400 {
                if (thread + round) % 3 == 0 {
                    guarded.lock.withExclusiveLock {
                        guarded.left += 1
                        if round % 50 == 0 { yieldForLong() }
                        guarded.right += 1
                    }
                } else {
                    guarded.lock.withSharedLock {
                        if guarded.left != guarded.right { torn.add() }
                        if round % 50 == 0 { yieldForLong() }
                    }
                }
            }
        }
        #expect(torn.value == 0)
        #expect(guarded.left == 24 * 400 / 3)
        #expect(guarded.lock.meter.sample(now: MonotonicClock.nanoseconds()).acquired == 24 * 400)
        #expect(guarded.lock.meter.sample(now: MonotonicClock.nanoseconds()).waiters == 0)
    }

    /// Holds a lock past the spinning of those who wait for it.
    private func yieldForLong() {
        let start = MonotonicClock.nanoseconds()
        _ = eventually { MonotonicClock.nanoseconds() - start > 200_000 }
    }
}
