import Glibc
import InstrumentedMaps
import LinearWorkload
import Linearizability

// Millions of operations on a few hot keys while the tables under them grow and shrink, every reply recorded and every
// history checked for linearizability.
//
//     linear-probe --strategy sharded|rwlock|checked|optimistic|all [--operations 10000000] [--seed 1] [--threads 8] [--keys 4]
//                  [--round 1000000] [--calm]
//     linear-probe --planted NAME …     a map with a fault that must be found; `--planted list` says which there are
//
// Exit status: 0 nothing wrong, 1 something found, 2 nobody understands the command line.

@main
enum LinearProbe {
    static func main() {
        do {
            let arguments = try Arguments(CommandLine.arguments.dropFirst())
            if arguments.lists {
                for fault in PlantedFault.allCases { say(fault.rawValue) }
                return
            }
            for subject in arguments.subjects {
                guard try passes(subject, arguments) else { exit(1) }
            }
        } catch {
            complain("\(error)")
            exit(2)
        }
    }

    private static func passes(_ subject: Subject, _ arguments: Arguments) throws -> Bool {
        let start = ContinuousClock.now
        var trial = Trial(try subject.makeMap(), arguments.plan)
        let problems = trial.run { trial in
            if arguments.plan.operations >= 2_000_000 {
                say("linear-probe: \(subject) \(trial.operations) operations checked, \(seconds(since: start)) s")
            }
        }
        for problem in problems.prefix(4) { complain("\(subject): \(problem)") }
        guard problems.isEmpty else {
            complain("\(subject): found after \(trial.operations) operations, seed \(arguments.plan.seed)")
            return false
        }
        let (plan, found) = (arguments.plan, trial.statistics)
        say(
            """
            linear-probe: \(subject) linearizable: \(trial.operations) operations on \(plan.keys) keys by \
            \(plan.threads) threads and \(trial.iterations) iterations, \(found.overlapping) overlapping \
            (up to \(found.mostPending)), \(found.windows) windows, \(trial.cycles) times grown and shrunk, \
            \(trial.moves) maintenance moves, at most \(found.mostVisited) configurations a response, \
            seed \(plan.seed), \(seconds(since: start)) s
            """)
        return true
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Int64 {
        (ContinuousClock.now - start).components.seconds
    }

    private static func complain(_ text: String) { say("linear-probe: \(text)", to: STDERR_FILENO) }

    /// Unbuffered: a progress line is of use while it is new.
    private static func say(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
        let line = Array("\(text)\n".utf8)
        // Safety: the call reads `line.count` bytes of the array.
        _ = unsafe line.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    }
}
