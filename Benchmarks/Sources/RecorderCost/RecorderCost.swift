import FlightRecorder
import Foundation
import InstrumentedMaps
import Instruments
import Workloads

// What does the flight recorder cost? The same operations on a map that nobody watches, on one whose writes are recorded,
// and on one of which everything is, by turns in one process:
//
//     RecorderCost [ROUNDS]      medians of ROUNDS (7) rounds; the order changes from round to round
//
// Time on the threads' own CPU clocks: on a busy machine it is the one that says something. The calls are those of Swift
// code in the same process, which is the hardest case: a request over HTTP takes a hundred times as long as its operation.

/// What is recorded in a run.
enum Recorded: Int, CaseIterable {
    case nothing
    case writes
    case everything
}

/// What the daemon hangs into a map: see `RecorderDesk`.
final class RecordingObserver: OperationObserver {
    let interest: ObserverInterest
    let rings: RingWriter?
    /// Whose rings they are, as long as they are written.
    private let mapRings: MapRings

    init(_ mapRings: MapRings, reads: Bool) {
        self.mapRings = mapRings
        rings = mapRings.writer
        interest = reads ? [.reads] : []
    }
}

/// One load.
struct CostRow {
    let title: String
    let mix: Mix
    let strategy: MapStrategy
    let threads: Int

    static let keys = 1_000_000
    static let operations = 2_000_000

    static let all = [
        CostRow(title: "sharded, 50/25/25, 2 threads", mix: Mix(50, 25, 25), strategy: .sharded, threads: 2),
        CostRow(title: "sharded, 50/25/25, 1 thread", mix: Mix(50, 25, 25), strategy: .sharded, threads: 1),
        CostRow(title: "sharded, 95/5, 2 threads", mix: Mix(95, 5, 0), strategy: .sharded, threads: 2),
        CostRow(title: "rwlock, 95/5, 1 thread", mix: Mix(95, 5, 0), strategy: .rwlock, threads: 1),
    ]

    /// Plays the row's operations on a fresh map that holds every key; nanoseconds of CPU an operation.
    func measure(_ recorded: Recorded, _ recorder: FlightRecorder) throws -> Double {
        let workload = Workload(keys: CostRow.keys)
        let host = MapHost(observer: { name, options, incarnation in
            guard recorded != .nothing,
                let rings = try? recorder.lend(
                    map: name.text, incarnation: incarnation, shards: options.shards,
                    takesReads: recorded == .everything)
            else { return nil }
            return RecordingObserver(rings, reads: recorded == .everything)
        }) { 0 }
        let name = try MapName("cost")
        _ = try host.create(name, MapOptions(strategy: strategy, shards: strategy == .sharded ? 256 : nil))
        let map = try host.mapForWriting(name)
        for list in workload.filling(threads: 1) { CostRow.play(list, on: map) }
        let perThread = CostRow.operations / threads
        let lists = workload.lists(mix, .uniform, threads: threads, operationsPerThread: perThread)
        let run = onThreads(threads) { thread in
            let start = threadNanoseconds()
            CostRow.play(lists[thread], on: map)
            return threadNanoseconds() - start
        }
        return Double(run.outputs.reduce(0, +)) / Double(perThread * threads)
    }

    private static func play(_ list: OperationList, on map: any InstrumentedMap) {
        list.play(get: { _ = map.load($0) }, set: { map.store($0, $1) }, delete: { map.delete($0) })
    }
}

@main
enum RecorderCost {
    static func main() throws {
        guard let rounds = Int(CommandLine.arguments.dropFirst().first ?? "7"), rounds > 0 else {
            throw UsageProblem(description: "RecorderCost [ROUNDS]")
        }
        let directory = FileManager.default.temporaryDirectory.path + "/mapwatch-recorder-cost-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let clocks = RecorderClocks(secondsSince1970: { Date().timeIntervalSince1970 })
        guard let recorder = RecorderOpening(directory: directory, clocks: clocks).recorder else {
            throw UsageProblem(description: "cannot record in \(directory)")
        }
        Machine.printHead(seed: benchmarkSeed)
        print("\nCPU nanoseconds an operation, medians of \(rounds) rounds; cost beside nothing recorded (min–max)")
        for row in CostRow.all {
            var runs = Recorded.allCases.map { _ in [Double]() }
            for round in 0..<rounds {
                for step in Recorded.allCases.indices {
                    let recorded = Recorded.allCases[(step + round) % Recorded.allCases.count]
                    runs[recorded.rawValue].append(try row.measure(recorded, recorder))
                }
            }
            print(
                row.title.padding(toLength: 34, withPad: " ", startingAt: 0)
                    + String(format: "nothing %6.1f", median(runs[0]))
                    + text("writes", runs[1], beside: runs[0]) + text("everything", runs[2], beside: runs[0]))
        }
    }

    private static func text(_ name: String, _ runs: [Double], beside bare: [Double]) -> String {
        let costs = zip(bare, runs).map { ($1 / $0 - 1) * 100 }
        return String(
            format: "   %@ %6.1f: %+5.1f %% (%+.1f–%+.1f)", name, median(runs), median(costs), costs.min() ?? .nan,
            costs.max() ?? .nan)
    }
}

/// A command line that nobody can follow, or a place that cannot be written to.
struct UsageProblem: Error, CustomStringConvertible {
    let description: String
}
