import AccidentIndicators
import Collectors
import Exposition
import Foundation
import InstrumentedMaps
import Synchronization
import Workloads

/// What writers pay for being scraped: CPU time of their threads, so that it does not matter who else wants the cores.
enum WriterBench {
    static let rounds = 10
    static let seconds = 2.0

    /// Who scrapes meanwhile.
    enum Load: CaseIterable {
        case none, oneASecond, hundredAtOnce

        var scrapers: Int { [.none: 0, .oneASecond: 1, .hundredAtOnce: 100][self] ?? 0 }
        var goal: Double { self == .oneASecond ? 2 : 5 }
        var name: String {
            switch self {
            case .none: "not scraped"
            case .oneASecond: "1 scrape a second"
            case .hundredAtOnce: "100 scrapes at once, each second"
            }
        }
    }

    struct Result {
        var nanosecondsPerOperation: [Double] = []
        var operationsPerSecond: [Double] = []
    }

    static func run() throws {
        let host = MapHost { 0 }
        let name = try MapName("orders")
        _ = try host.create(name, MapOptions(shards: 256))
        let map = try host.mapForWriting(name)
        let workload = Workload(keys: 200_000)
        let value = [UInt8](repeating: 0x76, count: Workload.valueLength)
        for list in workload.filling(threads: 1) { play(list, map, value, until: .max) }
        let lists = workload.lists(Mix(20, 40, 40), .uniform, threads: 2, operationsPerThread: 500_000)
        print("writers: 2 threads, 20/40/40 get/set/delete on 256 shards; median of \(rounds) alternating runs")
        Machine.printHead(seed: workload.seed)
        var results: [Load: Result] = [:]
        let others = OtherLoad()
        for _ in 0..<rounds {
            for load in Load.allCases {
                let run = try measure(load, host, map, lists, value)
                results[load, default: Result()].nanosecondsPerOperation.append(run.nanosecondsPerOperation)
                results[load, default: Result()].operationsPerSecond.append(run.operationsPerSecond)
            }
        }
        print("others   took \(Int((others.share * 100).rounded())) % of the cores meanwhile")
        let reference = results[.none]?.nanosecondsPerOperation ?? []
        for load in Load.allCases {
            guard let result = results[load] else { continue }
            // Each run against the one without scrapes in its own round: what slows the machine slows both.
            let more = median(zip(result.nanosecondsPerOperation, reference).map { ($0 / $1 - 1) * 100 })
            let text = String(
                format: "%@: %.1f ns CPU an operation, %.2f Mop/s by the wall", load.name,
                median(result.nanosecondsPerOperation), median(result.operationsPerSecond) / 1e6)
            let goal = String(format: ", %+.1f %%, goal +%.0f %%: ", more, load.goal)
            print(load == .none ? text : text + goal + verdict(more <= load.goal))
        }
    }

    private static func measure(
        _ load: Load, _ host: MapHost, _ map: any InstrumentedMap, _ lists: [OperationList], _ value: [UInt8]
    ) throws -> (nanosecondsPerOperation: Double, operationsPerSecond: Double) {
        let end = monotonicNanoseconds() + UInt64(seconds * 1e9)
        let labels = MapLabelCache()
        let run = onThreads(lists.count + load.scrapers) { thread -> (operations: Int, cpu: Double) in
            guard thread < lists.count else {
                while monotonicNanoseconds() < end {
                    scrape(host, labels)
                    usleep(1_000_000)
                }
                return (0, 0)
            }
            let start = threadCPUSeconds()
            let operations = play(lists[thread], map, value, until: end)
            return (operations, threadCPUSeconds() - start)
        }
        let operations = Double(run.outputs.reduce(0) { $0 + $1.operations })
        let cpu = run.outputs.reduce(0) { $0 + $1.cpu }
        return (cpu / operations * 1e9, operations / seconds)
    }

    private static func scrape(_ host: MapHost, _ labels: MapLabelCache) {
        let scrape = Scrape(maps: host.snapshot(), sizeDeltas: nil, labels: labels)
        var families = MapCollector().collect(scrape)
        families += LatencyCollector().collect(scrape)
        families += ArticleNamesCollector().collect(scrape)
        precondition(!TextFormat.render(families).isEmpty)
    }

    /// Plays a list again and again until `end`; the number of operations.
    @discardableResult
    private static func play(
        _ list: OperationList, _ map: any InstrumentedMap, _ value: [UInt8], until end: UInt64
    ) -> Int {
        let operations = list.operations
        var done = 0
        repeat {
            for index in operations.indices {
                let key = OperationList.key(operations, index).span
                switch operations[index].kind {
                case .get: _ = map.load(key)
                case .set: map.store(key, value.span)
                case .delete: map.delete(key)
                }
                done += 1
                if done & 1023 == 0, monotonicNanoseconds() >= end { return done }
            }
        } while end != .max
        return done
    }
}
