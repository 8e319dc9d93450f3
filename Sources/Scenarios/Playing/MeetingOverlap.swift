import Glibc
public import InstrumentedMaps
import Instruments
import Synchronization

// In this process nothing is left to chance:
//
//     second   ──▶ inside its shard ── waits ──────────────────────────▶ goes on
//                        │                        ▲
//     first              └─▶ runs into the shard ─┘ has met it, has ended, or stands at the lock
//
// The second one touches a single key, so that a walk, which enters every shard, cannot miss it.

/// Makes the two halves of a conflicting step overlap by watching the map: the observer of the one map it is for.
///
/// Concurrency: one ``run(_:_:)`` at a time; the observer's calls from any thread.
public final class MeetingOverlap: Overlap, OperationObserver {
    private enum Phase {
        static let idle = 0
        /// The second is about to begin.
        static let armed = 1
        /// It is inside its shard.
        static let inside = 2
        /// The first has begun.
        static let going = 3
        /// The first has ended, or was told of the other one.
        static let met = 4
    }

    /// How long the one inside waits at most for the other one to begin, and then for it to arrive: behind a lock nobody
    /// says that he stands there.
    private static let patience: UInt64 = 1_000_000_000
    private static let arrival: UInt64 = 1_000_000

    private let phase = Atomic<Int>(Phase.idle)
    private let isSecondOver = Atomic<Bool>(false)
    private let holder: Caller
    /// Whether the map tells of conflicts, so that the wait ends with one.
    private let looksForConflicts: Bool

    /// `card` names the lanes, and so the callers, of the scenario.
    public init(_ card: ScenarioCard, looksForConflicts: Bool) {
        holder = .named(MeetingOverlap.holder(card))
        self.looksForConflicts = looksForConflicts
    }

    /// Under which name the second half of a conflicting step is done.
    static func holder(_ card: ScenarioCard) -> String { card.lanes[min(1, card.lanes.count - 1)] + "-2" }

    public func run(
        _ first: @escaping @Sendable () throws -> Void, _ second: @escaping @Sendable () throws -> Void
    ) throws {
        isSecondOver.store(false, ordering: .relaxed)
        phase.store(Phase.armed, ordering: .releasing)
        defer { phase.store(Phase.idle, ordering: .releasing) }
        try Threads.run(2) { [self] number in
            if number == 0 {
                wait(for: Phase.inside, atMost: MeetingOverlap.patience)
                phase.store(Phase.going, ordering: .releasing)
                defer { phase.store(Phase.met, ordering: .releasing) }
                try first()
            } else {
                // A read that takes no lock is never inside: then the first must not wait.
                defer {
                    advance(from: Phase.armed, to: Phase.inside)
                    isSecondOver.store(true, ordering: .releasing)
                }
                try second()
            }
        }
    }

    /// The first was refused because the second is inside, and tries again when that has ended.
    public func waitAfterRefusal() {
        let deadline = MonotonicClock.nanoseconds() + MeetingOverlap.patience
        while !isSecondOver.load(ordering: .acquiring), MonotonicClock.nanoseconds() < deadline { sched_yield() }
    }

    public func insideCriticalSection(_ shard: Int, _ operation: ObservedOperation) {
        guard phase.load(ordering: .acquiring) == Phase.armed, Caller.current == holder else { return }
        guard advance(from: Phase.armed, to: Phase.inside) else { return }
        wait(for: Phase.going, atMost: MeetingOverlap.patience)
        wait(for: Phase.met, atMost: looksForConflicts ? MeetingOverlap.patience : MeetingOverlap.arrival)
    }

    public func didConflict(_ conflict: MapConflict) { advance(from: Phase.going, to: Phase.met) }

    @discardableResult
    private func advance(from old: Int, to new: Int) -> Bool {
        phase.compareExchange(expected: old, desired: new, ordering: .acquiringAndReleasing).exchanged
    }

    private func wait(for wanted: Int, atMost nanoseconds: UInt64) {
        let deadline = MonotonicClock.nanoseconds() + nanoseconds
        while phase.load(ordering: .acquiring) < wanted, MonotonicClock.nanoseconds() < deadline { sched_yield() }
    }
}
