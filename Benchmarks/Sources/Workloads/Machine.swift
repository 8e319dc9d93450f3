import Foundation

/// What a figure means nothing without.
public struct Machine: CustomStringConvertible {
    public init() {}

    public var cores: Int { ProcessInfo.processInfo.activeProcessorCount }

    public var description: String {
        let processor = Machine.field("model name", in: "/proc/cpuinfo") ?? "unknown processor"
        let memory = Machine.field("MemTotal", in: "/proc/meminfo").flatMap { Double($0.prefix { $0 != " " }) } ?? .nan
        let load = Machine.text("/proc/loadavg").prefix { $0 != " " }
        return """
            machine  \(processor), \(cores) cores, \(String(format: "%.1f", memory / 1_048_576)) GiB, \
            Linux \(Machine.text("/proc/sys/kernel/osrelease")), load average \(load) before the run
            """
    }

    /// Machine, seed and command: the head of every benchmark's output.
    public static func printHead(seed: UInt64) {
        print(Machine())
        print("seed     \(seed)")
        let arguments = CommandLine.arguments.dropFirst()
        let program = CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? ""
        print("command  " + ([program] + arguments).joined(separator: " "))
    }

    static func text(_ path: String) -> String {
        guard let data = FileManager.default.contents(atPath: path) else { return "unknown" }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The value of the first line "name : value".
    private static func field(_ name: String, in path: String) -> String? {
        for line in text(path).split(separator: "\n") where line.hasPrefix(name) {
            return line.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
        }
        return nil
    }
}

/// How much of the machine others took while a benchmark ran: figures from a busy machine mean little.
public struct OtherLoad {
    private let busyAtStart = OtherLoad.busySeconds
    private let ownAtStart = OtherLoad.ownSeconds
    private let start = monotonicNanoseconds()

    public init() {}

    /// The share of all cores' time that other processes, the kernel's interrupts and the hypervisor took since the start.
    public var share: Double {
        let others = (OtherLoad.busySeconds - busyAtStart) - (OtherLoad.ownSeconds - ownAtStart)
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        return max(0, others / (seconds * Double(Machine().cores)))
    }

    private static var busySeconds: Double {
        // cpu user nice system idle iowait irq softirq steal …
        let cells = Machine.text("/proc/stat").prefix { $0 != "\n" }.split(separator: " ").dropFirst()
            .compactMap { Double($0) }
        guard cells.count >= 8 else { return .nan }
        return (cells[0] + cells[1] + cells[2] + cells[5] + cells[6] + cells[7]) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static var ownSeconds: Double {
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }
}

/// Says on standard error how far a benchmark is; standard output keeps the results alone.
public struct Progress {
    private let start = monotonicNanoseconds()

    public init() {}

    public func report(round: Int, of rounds: Int, row: Int, of rows: Int) {
        let seconds = (monotonicNanoseconds() - start) / 1_000_000_000
        FileHandle.standardError.write(
            Data("round \(round) of \(rounds), row \(row) of \(rows), \(seconds) s\n".utf8))
    }
}
