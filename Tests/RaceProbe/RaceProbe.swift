import Glibc
import InstrumentedMaps

// A workload for the sanitizers: many threads, one map, few keys, growth all the way.
//
//     race-probe MAP [--threads 8] [--operations 400000] [--seed 1]
//
// MAP is a strategy; `optimistic`; `recorded`, of which the flight recorder takes each operation; `recorder`, which is no map but a ring of the flight recorder; or what is planted:
// `unguarded`, the engine with a guard that does not lock, and `freed`, a read of memory that was given back. A run that
// finds nothing in the strategies counts only beside one that finds what is planted; `run.sh` does both.

@main
enum RaceProbe {
    static func main() {
        do {
            let arguments = try Arguments(CommandLine.arguments.dropFirst())
            let problems =
                switch arguments.subject {
                case .recorder: try RecorderProbe(threads: arguments.threads, operations: arguments.operations).run()
                case .freed: Freed.read()
                default: try Workload(arguments).run()
                }
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
    /// A strategy, `sharded` with readers that take no lock, the recorder, or one of the planted faults.
    enum Subject: Equatable {
        case strategy(MapStrategy)
        case optimistic
        /// `sharded` with every operation recorded.
        case recorded
        case unguarded
        case freed
        case recorder

        /// What the command line calls it.
        static let named: [String: Subject] = [
            "sharded": .strategy(.sharded), "rwlock": .strategy(.rwlock), "checked": .strategy(.checked),
            "optimistic": .optimistic, "recorded": .recorded, "recorder": .recorder, "unguarded": .unguarded,
            "freed": .freed,
        ]
    }

    let subject: Subject
    let mapText: String
    private(set) var threads = 8
    /// Over all threads.
    private(set) var operations = 400_000
    private(set) var seed: UInt64 = 1

    init(_ words: ArraySlice<String>) throws(UsageError) {
        var words = words
        let names = Subject.named.keys.sorted().joined(separator: ", ")
        guard let name = words.popFirst() else { throw UsageError(text: "say which map: \(names)") }
        guard let subject = Subject.named[name] else { throw UsageError(text: "\"\(name)\" is no map: \(names)") }
        self.subject = subject
        mapText = name
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
