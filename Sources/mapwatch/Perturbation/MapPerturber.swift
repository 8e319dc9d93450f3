import Glibc
import InstrumentedMaps
import Instruments
import Scenarios
import Synchronization

// Inside the critical section of a shard, with some probability, the thread gives its core away (`yield`) or sleeps
// (`delay`). Either widens the window in which another thread comes: on a map with strategy `checked` more conflicts are
// found, on any other more callers wait.
//
// Which operations are hit is decided by their number alone: the n-th to pass is hit when the n-th output of the seed's
// generator is under the probability. So with one thread a seed repeats a run, and with several the same numbers are hit.

/// Disturbs the operations of one map.
///
/// Concurrency: any thread. Cost when nothing is on: two relaxed loads for each operation.
final class MapPerturber: Sendable {
    private let yields = Disturbance()
    private let delays = Disturbance()
    private let nanoseconds: @Sendable () -> UInt64

    init(nanoseconds: @escaping @Sendable () -> UInt64 = MonotonicClock.nanoseconds) {
        self.nanoseconds = nanoseconds
    }

    /// Disturbs from now on, until `endsAt` by the monotonic clock.
    func start(_ perturbation: Perturbation, until endsAt: UInt64) {
        switch perturbation.kind {
        case .yield: yields.start(perturbation, until: endsAt)
        case .delay: delays.start(perturbation, until: endsAt)
        case .error, .stall: break
        }
    }

    func end(_ kind: PerturbationKind) {
        switch kind {
        case .yield: yields.end()
        case .delay: delays.end()
        case .error, .stall: break
        }
    }

    /// To be called by whoever is inside the critical section of a shard.
    func disturb(shard: Int) {
        if yields.isHit(shard: shard, nanoseconds) { sched_yield() }
        if delays.isHit(shard: shard, nanoseconds) { Pause.nanoseconds(delays.length) }
    }
}

/// One kind of disturbance of one map. Its cells are written one by one: an operation that passes meanwhile may see the old
/// probability once more.
struct Disturbance: ~Copyable, Sendable {
    /// The generator's step; the n-th output follows from the seed and n steps.
    private static let step: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// Monotonic time; 0 while it is off.
    private let endsAt = Atomic<UInt64>(0)
    /// The shard that is meant, -1 for all.
    private let shard = Atomic<Int>(-1)
    /// Of 2⁵³.
    private let chance = Atomic<UInt64>(0)
    private let seed = Atomic<UInt64>(0)
    private let microseconds = Atomic<Int>(0)
    /// Operations that have passed since the start.
    private let passed = Atomic<UInt64>(0)

    /// Nanoseconds of a delay.
    var length: Int { microseconds.load(ordering: .relaxed) * 1_000 }

    func start(_ perturbation: Perturbation, until end: UInt64) {
        endsAt.store(0, ordering: .relaxed)
        shard.store(perturbation.shard ?? -1, ordering: .relaxed)
        chance.store(UInt64(perturbation.probability * Double(1 << 53 as UInt64)), ordering: .relaxed)
        seed.store(perturbation.seed, ordering: .relaxed)
        microseconds.store(perturbation.microseconds, ordering: .relaxed)
        passed.store(0, ordering: .relaxed)
        endsAt.store(end, ordering: .releasing)
    }

    func end() { endsAt.store(0, ordering: .relaxed) }

    func isHit(shard passing: Int, _ nanoseconds: () -> UInt64) -> Bool {
        let end = endsAt.load(ordering: .acquiring)
        guard end > 0 else { return false }
        let meant = shard.load(ordering: .relaxed)
        guard meant < 0 || meant == passing, nanoseconds() < end else { return false }
        let number = passed.wrappingAdd(1, ordering: .relaxed).oldValue
        var generator = SplitMix(seed: seed.load(ordering: .relaxed) &+ number &* Disturbance.step)
        return generator.next() >> 11 < chance.load(ordering: .relaxed)
    }
}
