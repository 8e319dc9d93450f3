import Glibc
import Instruments
import Scenarios
import Synchronization

// On a daemon seconds are real. Each replay has a map, a thread and a place in time:
//
//     in turn     ├ warm-up ┼ played ─┤                    120 s and 120 s for each: seven take 16 minutes
//                           ├ warm-up ┼ played ─┤
//     parallel    ├ warm-up ┼ played ─┤                    4 minutes for all
//                 ├ warm-up ┼ played ─┤
//
// What is said of a replay is read from the daemon's /metrics, as Prometheus would.

/// Replays on a daemon.
struct RemoteReplay {
    /// What two stores, or a walk and a store, are given as chances to meet in the daemon: nobody here can look into its
    /// critical sections.
    static let overlapRounds = 4

    let data: ReplayConnections
    let metrics: RemoteMetrics
    let isParallel: Bool
    /// Seconds of the scenario in one second. Past 1 the daemon, whose windows are real seconds, judges another load than
    /// the scenario's; what is done to the map stays the same.
    let pace: Int

    /// Seconds that so many replays take.
    func seconds(_ count: Int) -> Int {
        (ScenarioTime.warmUp + (isParallel ? 1 : count) * ScenarioTime.played) / pace
    }

    /// Nanoseconds of a second of the scenario.
    private var second: UInt64 { 1_000_000_000 / UInt64(pace) }

    /// Results in the order of the runs.
    func play(_ runs: [ReplayRun], _ progress: ReplayProgress) throws -> [ReplayResult] {
        let begin = MonotonicClock.nanoseconds()
        let results = LockedState<[Int: ReplayResult]>([:])
        let hasFailed = Stop()
        try Threads.run(runs.count) { number in
            do {
                let delay = isParallel ? 0 : number * ScenarioTime.played
                let result = try play(
                    runs[number], from: begin + UInt64(delay) * second, hasFailed,
                    number == 0 || !isParallel ? progress : nil)
                results.withLock { $0[number] = result }
            } catch {
                hasFailed.set()
                throw error
            }
        }
        return results.withLock { results in runs.indices.compactMap { results[$0] } }
    }

    private func play(
        _ run: ReplayRun, from begin: UInt64, _ stop: Stop, _ progress: ReplayProgress?
    ) throws -> ReplayResult {
        let card = run.scenario.card
        let target = RemoteTarget(connections: data, map: run.mapName)
        try wait(until: begin, stop)
        try target.create(run.map.fields)
        progress?.begin("\(card.name), \(run.way.rawValue)")
        var player = ScenarioPlayer(
            run.scenario.init(seed: run.seed, way: run.way), on: target,
            overlap: SimultaneousOverlap(rounds: RemoteReplay.overlapRounds))
        var observations = ReplayObservations()
        for number in 0..<ScenarioTime.length {
            try player.play(second: number)
            try wait(until: begin + UInt64(number + 1) * second, stop)
            if number >= ScenarioTime.warmUp { observations.add(try metrics.gauges(of: run.mapName)) }
            progress?.show(second: number, isPaced: true)
        }
        return ReplayResult(
            card: card, way: run.way, map: run.map, observations: observations, outcome: try player.outcome())
    }

    private func wait(until instant: UInt64, _ stop: Stop) throws {
        while true {
            if stop.isSet { throw ReplayFailure("another replay has failed") }
            let now = MonotonicClock.nanoseconds()
            guard now < instant else { return }
            usleep(UInt32(min((instant - now) / 1000 + 1, 500_000)))
        }
    }
}

/// Raised once, seen by all.
private final class Stop: Sendable {
    private let raised = Atomic<Bool>(false)

    var isSet: Bool { raised.load(ordering: .relaxed) }

    func set() { raised.store(true, ordering: .relaxed) }
}

/// The metrics of a daemon, as text.
struct RemoteMetrics: Sendable {
    let connections: ReplayConnections

    private static let families = [
        "map_delete_ratio", "map_size_mutation_ratio", "map_size_mutation_streak", "map_accident_signature",
        "map_shard_imbalance_ratio", "map_op_delete_during_iteration_total", "map_concurrent_access_total",
        "map_conflict_averted_total",
    ]

    /// What the series of one map show now. Some families only, so that no scraper's cursor moves.
    func gauges(of map: String) throws -> MapGauges {
        let query = RemoteMetrics.families.map { "name[]=\($0)" }.joined(separator: "&")
        let answer = try connections.request("GET", "\(connections.address.path)?\(query)")
        guard answer.status == 200 else {
            throw ReplayFailure("\(connections.address.text)\(connections.address.path) answered \(answer.status)")
        }
        var gauges = MapGauges()
        for line in answer.text.split(separator: "\n") where line.contains("map_name=\"\(map)\"") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                continue
            }
            switch line.prefix(while: { $0 != "{" }) {
            case "map_delete_ratio": gauges.deleteRatio = value
            case "map_size_mutation_ratio": gauges.sizeMutationRatio = value
            case "map_size_mutation_streak": gauges.sizeMutationStreak = Int(value)
            case "map_accident_signature": gauges.hasSignature = value == 1
            case "map_shard_imbalance_ratio": gauges.shardImbalance = value
            case "map_op_delete_during_iteration_total": gauges.deletesDuringIteration += UInt64(value)
            case "map_concurrent_access_total": gauges.conflicts[RemoteMetrics.kind(line), default: 0] += UInt64(value)
            case "map_conflict_averted_total": gauges.averted[RemoteMetrics.kind(line), default: 0] += UInt64(value)
            default: break
            }
        }
        return gauges
    }

    private static func kind(_ line: Substring) -> String {
        let label = "kind=\""
        let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
        for index in parts.indices.dropFirst() where parts[index - 1].hasSuffix(label.dropLast()) {
            return String(parts[index])
        }
        return "?"
    }
}
