import Glibc

// What the engine promises about single operations, at the sizes where it would show:
//
//     engine-probe worst  [--entries 10000000] [--seed 1]    the costliest single insert or delete, in thread CPU time
//     engine-probe hash   [--entries 1000000] [--seed 1]     keys built to collide, and the worst key of 1 KiB
//     engine-probe memory [--entries 1000000] [--seed 1]     resident memory that comes back after deletes at random
//     engine-probe checked [--operations 100000000] [--threads 8] [--seed 1]   conflicts that nobody had
//
// Exit status: 0 all holds, 1 something does not, 2 nobody understands the command line.

@main
enum EngineProbe {
    static func main() {
        do {
            let arguments = try Arguments(CommandLine.arguments.dropFirst())
            let findings =
                switch arguments.proof {
                case .worst: try WorstOperation(arguments).run()
                case .hash: try HashProof(arguments).run()
                case .memory: try MemoryProof(arguments).run()
                case .checked: try FalseConflicts(arguments).run()
                }
            for finding in findings { print("engine-probe: \(finding.text)\(finding.holds ? "" : " — too much")") }
            if !findings.allSatisfy(\.holds) { exit(1) }
        } catch {
            print("engine-probe: \(error)")
            exit(2)
        }
    }
}

/// One measured promise.
struct Finding {
    let text: String
    let holds: Bool
}

/// What the command line asks for.
struct Arguments {
    enum Proof: String {
        case worst
        case hash
        case memory
        case checked
    }

    let proof: Proof
    private(set) var entries: Int
    private(set) var operations = 100_000_000
    private(set) var threads = 8
    private(set) var seed: UInt64 = 1

    init(_ words: ArraySlice<String>) throws(UsageError) {
        var words = words
        guard let proof = words.popFirst().flatMap({ Proof(rawValue: $0) }) else {
            throw UsageError(text: "say what to prove: worst, hash, memory or checked")
        }
        self.proof = proof
        entries = proof == .worst ? 10_000_000 : 1_000_000
        while let option = words.popFirst() {
            guard let number = words.popFirst().flatMap({ Int($0) }), number > 0 else {
                throw UsageError(text: "\(option) needs a number above 0")
            }
            switch option {
            case "--entries": entries = min(number, 1 << 26)
            case "--operations": operations = number
            case "--threads": threads = min(number, 64)
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

/// Nanoseconds that this thread has computed.
func threadNanoseconds() -> UInt64 {
    var time = timespec()
    // Safety: the call only writes the local `time`.
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

/// A key of 12 bytes for a number.
func key(_ number: Int) -> [UInt8] {
    (0..<12).map { UInt8(truncatingIfNeeded: number >> ($0 * 5)) }
}

/// One decimal.
func short(_ number: Double) -> String { "\((number * 10).rounded() / 10)" }
