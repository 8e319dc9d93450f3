import Foundation
import InstrumentedMaps
import Synchronization

// How many shards should a map have when nobody says otherwise? More shards meet less often and cost more series.
// Prints, per strategy and shard count, the median throughput of several runs and the share of contended
// acquisitions; all in one process, with one seed, each run on a fresh map.

/// One row: a map with so many shards under so many threads.
struct Row {
    let label: String
    let options: MapOptions
    let threads: Int
    var operationsPerSecond: [Double] = []
    var contendedShare: [Double] = []
}

/// The load, the same for every row.
struct Workload {
    static let seed: UInt64 = 20_260_301
    static let keys = 200_000
    static let operations = 2_000_000
    static let runs = 5

    /// A counter-based generator: cheap, and the same for each thread in each run.
    struct Random {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    let keys: [[UInt8]] = (0..<Workload.keys).map { number in
        Array(("k" + String(repeating: "0", count: 11 - "\(number)".count) + "\(number)").utf8)
    }
    let value = [UInt8](repeating: 0x76, count: 100)

    /// Half loads, a quarter stores, a quarter deletes, keys uniform.
    func play(on map: any InstrumentedMap, thread: Int, operations: Int) {
        var random = Random(state: Workload.seed &+ UInt64(thread))
        for _ in 0..<operations {
            let bits = random.next()
            let key = keys[Int(bits >> 8) % keys.count]
            switch bits & 3 {
            case 0, 1: _ = map.load(key)
            case 2: map.store(key, value)
            default: map.delete(key)
            }
        }
    }
}

@main
enum ShardSweep {
    static func main() throws {
        let workload = Workload()
        let cores = ProcessInfo.processInfo.activeProcessorCount
        print("shard sweep: 50/25/25 load/store/delete, uniform")
        print("\(Workload.keys) keys of 12 bytes, values of 100 bytes, seed \(Workload.seed), \(cores) cores")
        print("median of \(Workload.runs) runs of \(Workload.operations) operations")
        var rows = try [2, 8, 32].flatMap { threads in
            try [1, 2, 4, 8, 16, 32, 64, 256, 1024].map { shards in
                Row(label: "sharded", options: try MapOptions(shards: shards), threads: threads)
            } + [Row(label: "rwlock", options: try MapOptions(strategy: .rwlock), threads: threads)]
        }
        // Alternating: each round visits every row, so that a slow minute of the machine hits all of them.
        for run in 1...Workload.runs {
            for index in rows.indices { try measure(&rows[index], workload) }
            FileHandle.standardError.write(Data("run \(run) of \(Workload.runs) done\n".utf8))
        }
        print("strategy  shards  threads   Mop/s  of 256  contended")
        for row in rows {
            let reference = rows.first { $0.threads == row.threads && $0.options.shards == 256 }
            let ratio = median(row.operationsPerSecond) / median(reference?.operationsPerSecond ?? [])
            print(
                row.label.padding(toLength: 8, withPad: " ", startingAt: 0),
                String(
                    format: "%7d %8d %7.2f %6.0f%% %9.3f%%", row.options.shards, row.threads,
                    median(row.operationsPerSecond) / 1e6, ratio * 100, median(row.contendedShare) * 100))
        }
    }

    private static func measure(_ row: inout Row, _ workload: Workload) throws {
        let host = MapHost { 0 }
        let name = try MapName("sweep")
        _ = try host.create(name, row.options)
        let map = try host.mapForWriting(name)
        for key in workload.keys { map.store(key, workload.value) }
        let before = map.snapshot()
        let perThread = Workload.operations / row.threads
        let start = ContinuousClock.now
        let group = DispatchGroup()
        for thread in 0..<row.threads {
            group.enter()
            let worker = Thread {
                workload.play(on: map, thread: thread, operations: perThread)
                group.leave()
            }
            worker.start()
        }
        group.wait()
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        let after = map.snapshot()
        let acquired = Double(after.sum(\.lockAcquired) - before.sum(\.lockAcquired))
        row.operationsPerSecond.append(Double(perThread * row.threads) / elapsed)
        row.contendedShare.append(Double(after.sum(\.lockContended) - before.sum(\.lockContended)) / acquired)
    }

    private static func median(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.sorted()[values.count / 2]
    }
}
