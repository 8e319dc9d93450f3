import InstrumentedMaps
import Workloads

/// What one operation took.
struct CostRun {
    let wallNanoseconds: Double
    let cpuNanoseconds: Double
}

/// One load on one kind of map.
struct CostRow: Sendable {
    let name: String
    let title: String
    let mix: Mix
    let strategy: MapStrategy
    let threads: Int

    private static let keys = 1_000_000
    private static let operations = 2_000_000

    static let all = [
        CostRow(
            name: "exclusive", title: "exclusive, 256 shards, 50/25/25, 2 threads", mix: Mix(50, 25, 25),
            strategy: .sharded, threads: 2),
        CostRow(
            name: "exclusive-95", title: "exclusive, 256 shards, 95/5, 2 threads", mix: Mix(95, 5, 0),
            strategy: .sharded, threads: 2),
        CostRow(
            name: "exclusive-1", title: "exclusive, 256 shards, 50/25/25, 1 thread", mix: Mix(50, 25, 25),
            strategy: .sharded, threads: 1),
        CostRow(
            name: "shared-95", title: "shared (rwlock), 95/5, 2 threads", mix: Mix(95, 5, 0), strategy: .rwlock,
            threads: 2),
        CostRow(
            name: "shared-1", title: "shared (rwlock), 95/5, 1 thread", mix: Mix(95, 5, 0), strategy: .rwlock,
            threads: 1),
    ]

    /// Fills a fresh map with every key, then plays the row's operations on it once.
    func measure() throws -> CostRun {
        let workload = Workload(keys: CostRow.keys)
        let host = MapHost { 0 }
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
        let operations = Double(perThread * threads)
        return CostRun(
            // Of each thread's own time, so that two threads that do not disturb each other take as long as one.
            wallNanoseconds: run.seconds * 1e9 * Double(threads) / operations,
            cpuNanoseconds: Double(run.outputs.reduce(0, +)) / operations)
    }

    private static func play(_ list: OperationList, on map: any InstrumentedMap) {
        list.play(get: { _ = map.load($0) }, set: { map.store($0, $1) }, delete: { map.delete($0) })
    }
}
