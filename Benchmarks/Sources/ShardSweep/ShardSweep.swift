import Foundation
import InstrumentedMaps
import Workloads

// How many shards should a map have when nobody says otherwise? More shards meet less often and cost more series.
// Prints, per strategy and shard count, the median throughput of several runs and the share of contended
// acquisitions; all in one process, with one seed, each run on a fresh map.

/// One row: a map with so many shards under so many threads.
struct Row {
    let options: MapOptions
    let threads: Int
    var operationsPerSecond: [Double] = []
    var contendedShare: [Double] = []
}

@main
enum ShardSweep {
    static let operations = 2_000_000
    static let rounds = 3
    static let threads = [2, 8, 32]

    static func main() throws {
        let workload = Workload(keys: 200_000)
        let value = [UInt8](repeating: 0x76, count: Workload.valueLength)
        print("shard sweep: 50/25/25 get/set/delete, uniform, \(workload.keys) keys of 12 bytes, values of 100 bytes")
        print("median of \(rounds) runs of \(operations) operations each")
        Machine.printHead(seed: workload.seed)
        var rows = try threads.flatMap { threads in
            try [1, 2, 4, 8, 16, 32, 64, 256, 1024].map { shards in
                Row(options: try MapOptions(shards: shards), threads: threads)
            } + [Row(options: try MapOptions(strategy: .rwlock), threads: threads)]
        }
        let filling = workload.filling(threads: 1)
        let lists = Dictionary(
            uniqueKeysWithValues: threads.map { threads in
                let perThread = operations / threads
                return (
                    threads,
                    workload.lists(Mix(50, 25, 25), .uniform, threads: threads, operationsPerThread: perThread)
                )
            })
        let progress = Progress()
        let others = OtherLoad()
        // Alternating: each round visits every row, so that a slow minute of the machine hits all of them.
        for round in 1...rounds {
            for index in rows.indices {
                try measure(&rows[index], filling, lists[rows[index].threads] ?? [], value)
                progress.report(round: round, of: rounds, row: index + 1, of: rows.count)
            }
        }
        print("others   took \(Int((others.share * 100).rounded())) % of the cores meanwhile")
        report(rows)
    }

    private static func report(_ rows: [Row]) {
        print("\nstrategy  shards  threads   Mop/s  of 256  contended")
        for row in rows {
            let reference = rows.first { $0.threads == row.threads && $0.options.shards == 256 }
            let ratio = median(row.operationsPerSecond) / median(reference?.operationsPerSecond ?? [])
            print(
                row.options.strategy.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0),
                String(
                    format: "%7d %8d %7.2f %6.0f%% %9.3f%%", row.options.shards, row.threads,
                    median(row.operationsPerSecond) / 1e6, ratio * 100, median(row.contendedShare) * 100))
        }
    }

    private static func measure(
        _ row: inout Row, _ filling: [OperationList], _ lists: [OperationList], _ value: [UInt8]
    ) throws {
        let host = MapHost { 0 }
        let name = try MapName("sweep")
        _ = try host.create(name, row.options)
        let map = try host.mapForWriting(name)
        for list in filling { play(list, on: map, value) }
        let before = map.snapshot()
        let seconds = onThreads(lists.count) { play(lists[$0], on: map, value) }.seconds
        let after = map.snapshot()
        let acquired = Double(after.sum(\.lockAcquired) - before.sum(\.lockAcquired))
        row.operationsPerSecond.append(Double(lists.reduce(0) { $0 + $1.count }) / seconds)
        row.contendedShare.append(Double(after.sum(\.lockContended) - before.sum(\.lockContended)) / acquired)
    }

    private static func play(_ list: OperationList, on map: any InstrumentedMap, _ value: [UInt8]) {
        let operations = list.operations
        for index in operations.indices {
            let key = OperationList.key(operations, index).span
            switch operations[index].kind {
            case .get: _ = map.load(key)
            case .set: map.store(key, value.span)
            case .delete: map.delete(key)
            }
        }
    }
}
