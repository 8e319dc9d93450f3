import AccidentIndicators
import Collectors
import Exposition
import Foundation
import InstrumentedMaps
import Workloads

/// How fast a large scrape is gathered and rendered on one core.
enum RenderBench {
    static let maps = 116
    static let shards = 64
    static let rounds = 20
    static let goal = 500.0

    static func run() throws {
        let host = MapHost { 1_700_000_000 }
        let filling = Workload(keys: 10_000)
        for number in 0..<maps {
            let name = try MapName("map-\(number)")
            _ = try host.create(name, MapOptions(shards: shards))
            let map = try host.mapForWriting(name)
            let value = [UInt8](repeating: 0x76, count: 10)
            for list in filling.filling(threads: 1) {
                let operations = list.operations
                for index in operations.indices where index % maps <= number {
                    map.store(OperationList.key(operations, index).span, value.span)
                }
            }
        }
        print("render: \(maps) maps of \(shards) shards, medians of \(rounds) rounds, CPU time of one thread")
        Machine.printHead(seed: filling.seed)
        let labels = MapLabelCache()
        let collectors: [any Collector] = [
            MapCollector(), LatencyCollector(), IteratorCollector(), AvertedConflictCollector(),
            IndicatorCollector(IndicatorSampler()),
            ArticleNamesCollector(), HostCollector(),
        ]
        var gathering: [Double] = []
        var rendering: [Double] = []
        var body: [UInt8] = []
        var series = 0
        for _ in 0..<rounds {
            let start = threadCPUSeconds()
            let scrape = Scrape(maps: host.snapshot(), sizeDeltas: nil, labels: labels)
            let families = try collectors.flatMap { try $0.collect(scrape) }
            let middle = threadCPUSeconds()
            body = TextFormat.render(families)
            rendering.append(threadCPUSeconds() - middle)
            gathering.append(middle - start)
            series = families.reduce(0) { $0 + $1.seriesCount }
        }
        let rate = Double(body.count) / median(rendering) / 1e6
        print("text     \(body.count) bytes, \(series) series")
        print(String(format: "gather   %.2f ms", median(gathering) * 1e3))
        print(
            String(format: "render   %.2f ms: %.0f MB/s of text, goal %.0f: ", median(rendering) * 1e3, rate, goal)
                + verdict(rate >= goal))
        print(
            String(
                format: "both     %.1f million series a second",
                Double(series) / (median(rendering) + median(gathering)) / 1e6))
    }
}
