import Glibc
import InstrumentedMaps

// A workload for ThreadSanitizer: many threads, one map, few keys, growth all the way.
//
//     race-probe sharded|rwlock|optimistic|checked|unguarded|recorder [--threads 8] [--operations 400000] [--seed 1]
//
// `unguarded` is the engine with a guard that does not lock: the planted race. A run that finds nothing in the
// strategies counts only beside one that finds that race; `run.sh` does both. `recorder` is no map but a ring of the
// flight recorder.

@main
enum RaceProbe {
    static func main() {
        do {
            let arguments = try Arguments(CommandLine.arguments.dropFirst())
            let problems =
                arguments.subject == .recorder
                ? try RecorderProbe(threads: arguments.threads, operations: arguments.operations).run()
                : try Workload(arguments).run()
            for problem in problems { complain("\(arguments.mapText): \(problem)") }
            guard problems.isEmpty else { exit(1) }
            print(
                "race-probe: \(arguments.mapText) \(arguments.threads) threads \(arguments.operations) operations, "
                    + "invariants hold")
        } catch {
            complain("\(error)")
            exit(2)
        }
    }

    private static func complain(_ text: String) {
        let line = Array("race-probe: \(text)\n".utf8)
        // Safety: the call reads `line.count` bytes of the array.
        _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// What the command line asks for.
struct Arguments {
    /// A strategy, `sharded` with readers that take no lock, or the engine without a guard.
    enum Subject: Equatable {
        case strategy(MapStrategy)
        case optimistic
        case unguarded
        case recorder
    }

    let subject: Subject
    let mapText: String
    private(set) var threads = 8
    /// Over all threads.
    private(set) var operations = 400_000
    private(set) var seed: UInt64 = 1

    init(_ words: ArraySlice<String>) throws(UsageError) {
        var words = words
        guard let subject = words.popFirst() else {
            throw UsageError(text: "say which map: sharded, rwlock, optimistic, checked, unguarded or recorder")
        }
        mapText = subject
        if subject == "unguarded" {
            self.subject = .unguarded
        } else if subject == "recorder" {
            self.subject = .recorder
        } else if subject == "optimistic" {
            self.subject = .optimistic
        } else if let strategy = MapStrategy(rawValue: subject) {
            self.subject = .strategy(strategy)
        } else {
            throw UsageError(
                text: "\"\(subject)\" is no map: sharded, rwlock, optimistic, checked, unguarded or recorder")
        }
        while let option = words.popFirst() {
            guard let number = words.popFirst().flatMap({ Int($0) }), number > 0 else {
                throw UsageError(text: "\(option) needs a number above 0")
            }
            switch option {
            case "--threads": threads = number
            case "--operations": operations = number
            case "--seed": seed = UInt64(number)
            default: throw UsageError(text: "unknown option \(option)")
            }
        }
    }
}

/// A command line that nobody can follow.
struct UsageError: Error, CustomStringConvertible {
    let text: String

    var description: String { text }
}
