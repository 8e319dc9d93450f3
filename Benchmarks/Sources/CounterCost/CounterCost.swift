import Foundation
import Workloads

// What does counting cost? The same program is built twice, once with `-D MAPWATCH_NO_COUNTERS`, and the two run by turns:
//
//     CounterCost BARE [ROUNDS]    plays BARE and itself ROUNDS times (5) and prints the medians side by side
//     CounterCost --measure        one run of all rows: "row wall-ns cpu-ns" a line
//
// Time on the threads' own CPU clocks stands beside the wall's: on a busy machine it is the one that says something.

@main
enum CounterCost {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments == ["--measure"] {
            for row in CostRow.all {
                let run = try row.measure()
                print("\(row.name) \(run.wallNanoseconds) \(run.cpuNanoseconds)")
            }
            return
        }
        guard let bare = arguments.first, let rounds = Int(arguments.dropFirst().first ?? "5"), rounds > 0 else {
            throw UsageProblem(description: "CounterCost BARE [ROUNDS], or CounterCost --measure")
        }
        try compare(with: bare, rounds: rounds)
    }

    private static func compare(with bare: String, rounds: Int) throws {
        Machine.printHead(seed: benchmarkSeed)
        var without: [[CostRun]] = []
        var with: [[CostRun]] = []
        let others = OtherLoad()
        for round in 0..<rounds {
            // Each of the two goes first as often as the other.
            let isFirst = round % 2 == 0
            if isFirst { without.append(try runs(of: bare)) }
            with.append(try runs(of: CommandLine.arguments[0]))
            if !isFirst { without.append(try runs(of: bare)) }
        }
        print("others   took at least \(Int((others.share * 100).rounded())) % of the cores, these programs included")
        print(
            "\nnanoseconds an operation, medians of \(rounds) alternating runs; cost is of counting, on the CPU's clock"
        )
        print(pad("", 44) + "wall without    with   CPU without    with    cost  (min–max)")
        for (index, row) in CostRow.all.enumerated() {
            let ratios = zip(without, with).map { $1[index].cpuNanoseconds / $0[index].cpuNanoseconds - 1 }
            let columns = [
                median(without.map { $0[index].wallNanoseconds }), median(with.map { $0[index].wallNanoseconds }),
                median(without.map { $0[index].cpuNanoseconds }), median(with.map { $0[index].cpuNanoseconds }),
            ]
            print(
                pad(row.title, 44)
                    + String(
                        format: "%12.1f%8.1f%14.1f%8.1f%7.1f%%  (%.1f–%.1f)", columns[0], columns[1], columns[2],
                        columns[3], median(ratios) * 100, (ratios.min() ?? .nan) * 100, (ratios.max() ?? .nan) * 100))
        }
    }

    /// The rows of one run of a program.
    private static func runs(of program: String) throws -> [CostRun] {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["--measure"]
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let runs = text.split(separator: "\n").compactMap { line -> CostRun? in
            let fields = line.split(separator: " ").compactMap { Double($0) }
            return fields.count == 2 ? CostRun(wallNanoseconds: fields[0], cpuNanoseconds: fields[1]) : nil
        }
        guard process.terminationStatus == 0, runs.count == CostRow.all.count else {
            throw UsageProblem(description: "\(program) --measure ended with \(process.terminationStatus): \(text)")
        }
        return runs
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text.padding(toLength: width, withPad: " ", startingAt: 0)
    }
}

/// A command line that nobody can follow, or a run that failed.
struct UsageProblem: Error, CustomStringConvertible {
    let description: String
}
