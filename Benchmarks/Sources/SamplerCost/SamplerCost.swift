import AccidentIndicators
import Foundation
import InstrumentedMaps
import Workloads

// What does a second of the sampler cost, when nobody writes and when every shard of every map is written in that second?
//
//     SamplerCost [SECONDS]      medians of SECONDS (60) seconds a row, which follow one another at once
//
// A second is what the daemon does in it: a glance at all maps, the indicators' sample, and the maintenance. Time is the
// sampling thread's own CPU clock. The writes come from another thread, as they do in a daemon, and none of their time
// counts; but the shards' memory lies in that thread's cache then, or, after it has walked through more memory than the
// caches hold, in none. Over HTTP the difference would drown: serving 6,400 writes costs a hundred times the sample.

/// What happens before a second's sample.
enum Second: CaseIterable {
    case idle
    case written
    case writtenAndForgotten

    var title: String {
        switch self {
        case .idle: "nobody writes"
        case .written: "every shard is written"
        case .writtenAndForgotten: "every shard is written, and has left the caches"
        }
    }
}

/// The maps, and who writes them.
struct Scene: Sendable {
    static let maps = 100
    static let shards = 64
    /// Of a map; each shard has some.
    static let keys = 1000
    static let movesPerSecond = 200_000
    /// Of a core: 1 ms a second.
    static let goal = 0.001

    let host = MapHost { 0 }
    let maps: [any InstrumentedMap]
    /// Keys of a map, a few for each shard.
    private let hot: [[UInt8]]
    private let sampler = IndicatorSampler()

    init() throws {
        let keys = (0..<Scene.keys).map { Array("key \($0)".utf8) }
        var maps: [any InstrumentedMap] = []
        for number in 0..<Scene.maps {
            let name = try MapName("map-\(number)")
            _ = try host.create(name, MapOptions(shards: Scene.shards))
            maps.append(try host.mapForWriting(name))
        }
        for map in maps { for key in keys { map.store(key, key) } }
        var reached = Set<Int>()
        let firsts = keys.filter { reached.insert(maps[0].shard(of: $0.span)).inserted }
        self.maps = maps
        hot = firsts + keys.suffix(400)
    }

    /// One write in four is a delete, undone in the next second.
    func write(second: Int) {
        for map in maps {
            for (number, key) in hot.enumerated() {
                if (number + second) % 4 == 0 { _ = map.delete(key) } else { map.store(key, key) }
            }
        }
    }

    /// What the daemon does each second; nanoseconds of this thread.
    func sample(second: Int) -> Double {
        let now = UInt64(second) * 1_000_000_000
        let start = threadNanoseconds()
        sampler.sample(host.glances(now: now, since: sampler.sample.maps), atNanoseconds: now)
        host.maintain(budget: Scene.movesPerSecond)
        return Double(threadNanoseconds() - start)
    }

    /// What the last sample found.
    var last: [MapGlance] { sampler.sample.maps }

    /// Shards that were written between the samples `before` and now.
    func written(since before: [MapGlance]) -> Int {
        zip(last, before).reduce(0) { sum, maps in
            sum + zip(maps.0.shards, maps.1.shards).count { $0.writes != $1.writes }
        }
    }
}

@main
enum SamplerCost {
    static func main() throws {
        guard let seconds = Int(CommandLine.arguments.dropFirst().first ?? "60"), seconds > 0 else {
            throw UsageProblem(description: "SamplerCost [SECONDS]")
        }
        Machine.printHead(seed: benchmarkSeed)
        let scene = try Scene()
        // More than the caches of any core hold, and than the last level of most machines.
        let others = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: 12 << 20)
        others.initialize(repeating: 1)
        defer { others.deallocate() }
        let load = OtherLoad()
        print("\nCPU of one core for \(Scene.maps) maps of \(Scene.shards) shards, \(seconds) seconds a row")
        var second = 1
        for kind in Second.allCases {
            var costs: [Double] = []
            for round in -5..<seconds {
                second += 1
                prepare(kind, scene, second, others)
                let before = scene.last
                let cost = scene.sample(second: second)
                guard kind == .idle || scene.written(since: before) == Scene.maps * Scene.shards else {
                    throw UsageProblem(description: "a shard was not written")
                }
                if round >= 0 { costs.append(cost) }
            }
            print(text(kind, costs))
        }
        print(String(format: "others took %.0f %% of the machine", load.share * 100))
    }

    private static func prepare(
        _ kind: Second, _ scene: Scene, _ second: Int, _ others: UnsafeMutableBufferPointer<UInt64>
    ) {
        guard kind != .idle else { return }
        nonisolated(unsafe) let others = others
        _ = onThreads(1) { _ in
            scene.write(second: second)
            guard kind == .writtenAndForgotten else { return }
            for place in stride(from: 0, to: others.count, by: 8) { others[place] &+= 1 }
        }
    }

    private static func text(_ kind: Second, _ costs: [Double]) -> String {
        let shards = Double(Scene.maps * Scene.shards)
        let middle = median(costs)
        return kind.title.padding(toLength: 50, withPad: " ", startingAt: 0)
            + String(
                format: "%6.3f %% (%.3f–%.3f), %4.0f ns a shard (goal %.1f %%): %@", middle / 1e7,
                (costs.min() ?? .nan) / 1e7, (costs.max() ?? .nan) / 1e7, middle / shards, Scene.goal * 100,
                middle / 1e9 < Scene.goal ? "met" : "MISSED")
    }
}

/// A command line that nobody can follow, or a scene that is not the one that was meant.
struct UsageProblem: Error, CustomStringConvertible {
    let description: String
}
