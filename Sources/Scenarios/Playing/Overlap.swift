import Glibc
import Synchronization

/// How the conflicting step of a scenario is made to overlap.
public protocol Overlap: Sendable {
    /// Runs both, the second begun while the first is under way, as well as that can be brought about.
    func run(_ first: @escaping @Sendable () throws -> Void, _ second: @escaping @Sendable () throws -> Void) throws

    /// Waits until the half that was refused may try again.
    func waitAfterRefusal()
}

extension Overlap {
    public func waitAfterRefusal() { usleep(1000) }
}

/// Lets both go at the same moment, so many times: where nobody can look into the critical section, it is left to
/// chance, and chance is given its chances.
public struct SimultaneousOverlap: Overlap {
    private let rounds: Int

    public init(rounds: Int) { self.rounds = rounds }

    public func run(
        _ first: @escaping @Sendable () throws -> Void, _ second: @escaping @Sendable () throws -> Void
    ) throws {
        let line = StartLine()
        try Threads.run(2) { number in
            for round in 1...rounds {
                line.meet(round)
                do { try number == 0 ? first() : second() } catch {
                    line.leave()
                    throw error
                }
            }
        }
    }
}

/// Where two threads wait for each other, round after round.
private final class StartLine: Sendable {
    private let come = Atomic<Int>(0)

    func meet(_ round: Int) {
        come.wrappingAdd(1, ordering: .acquiringAndReleasing)
        while come.load(ordering: .acquiring) < 2 * round { sched_yield() }
    }

    /// The other one need not wait any more.
    func leave() { come.wrappingAdd(1 << 32, ordering: .acquiringAndReleasing) }
}
