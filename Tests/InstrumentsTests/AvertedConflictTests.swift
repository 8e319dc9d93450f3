import Instruments
import TestSupport
import Testing

@Suite("Averted conflicts")
struct AvertedConflictTests {
    private final class Exclusive: Sendable { let lock = ShardLock() }
    private final class Shared: Sendable { let lock = ReadWriteLock() }

    /// Who finds whom, and what they would not have survived together.
    struct Meeting: Sendable {
        let own: LockAccess
        let holder: LockAccess
        var averted: ConflictKind?
    }

    static let meetings = [
        Meeting(own: .read, holder: .read), Meeting(own: .read, holder: .iterate),
        Meeting(own: .read, holder: .lookAhead), Meeting(own: .read, holder: .write, averted: .readWrite),
        Meeting(own: .iterate, holder: .read), Meeting(own: .iterate, holder: .iterate),
        Meeting(own: .iterate, holder: .lookAhead), Meeting(own: .iterate, holder: .write, averted: .iterateWrite),
        Meeting(own: .lookAhead, holder: .read), Meeting(own: .lookAhead, holder: .iterate),
        Meeting(own: .lookAhead, holder: .lookAhead), Meeting(own: .lookAhead, holder: .write),
        Meeting(own: .write, holder: .read, averted: .readWrite),
        Meeting(own: .write, holder: .iterate, averted: .iterateWrite),
        Meeting(own: .write, holder: .lookAhead, averted: .readWrite),
        Meeting(own: .write, holder: .write, averted: .writeWrite),
    ]

    private func expected(_ meeting: Meeting) -> AvertedConflicts {
        var conflicts = AvertedConflicts()
        switch meeting.averted {
        case .readWrite: conflicts.readWrites = 1
        case .writeWrite: conflicts.writeWrites = 1
        case .iterateWrite: conflicts.iterateWrites = 1
        case nil: break
        }
        return conflicts
    }

    @Test("whoever finds the exclusive lock busy counts what both are at, once", arguments: meetings)
    func exclusive(meeting: Meeting) {
        let map = Exclusive()
        let other = ThreadGroup()
        map.lock.withLock(as: meeting.holder) {
            other.start { map.lock.withLock(as: meeting.own) {} }
            #expect(eventually { map.lock.meter.waiters == 1 })
            #expect(map.lock.meter.sample(now: 0).averted == expected(meeting))
        }
        other.join()
        #expect(map.lock.meter.sample(now: 0).averted == expected(meeting))
    }

    @Test("whoever finds the shared lock closed counts what both are at, once", arguments: meetings)
    func shared(meeting: Meeting) {
        let map = Shared()
        let other = ThreadGroup()
        let hold: (() -> Void) -> Void =
            meeting.holder == .write
            ? { map.lock.withExclusiveLock($0) } : { map.lock.withSharedLock(as: meeting.holder, $0) }
        hold {
            other.start {
                if meeting.own == .write {
                    map.lock.withExclusiveLock {}
                } else {
                    map.lock.withSharedLock(as: meeting.own) {}
                }
            }
            if meeting.own != .write, meeting.holder != .write {
                // Readers come in beside readers.
                other.join()
            } else {
                #expect(eventually { map.lock.meter.waiters == 1 })
            }
            #expect(map.lock.meter.sample(now: 0).averted == expected(meeting))
        }
        other.join()
        #expect(map.lock.meter.sample(now: 0).averted == expected(meeting))
    }

    @Test("whoever has slept still tells the next one what it is at")
    func afterSleep() {
        let map = Exclusive()
        let sleeper = ThreadGroup()
        let next = ThreadGroup()
        let entered = Flag()
        let leave = Flag()
        map.lock.withLock(as: .read) {
            sleeper.start {
                map.lock.withLock(as: .iterate) {
                    entered.raise()
                    _ = eventually { leave.isRaised }
                }
            }
            #expect(eventually { map.lock.meter.waiters == 1 })
            // Long past the tries before sleep.
            let start = MonotonicClock.nanoseconds()
            #expect(eventually { MonotonicClock.nanoseconds() - start > 3_000_000 })
        }
        #expect(eventually { entered.isRaised })
        next.start { map.lock.withLock(as: .write) {} }
        #expect(eventually { map.lock.meter.waiters == 1 })
        leave.raise()
        next.join()
        sleeper.join()
        #expect(map.lock.meter.sample(now: 0).averted == AvertedConflicts(iterateWrites: 1))
    }
}
