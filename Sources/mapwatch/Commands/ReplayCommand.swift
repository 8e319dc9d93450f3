import ArgumentParser
import InstrumentedMaps
import Scenarios

/// `mapwatch replay`: the accidents again, on demand.
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Plays an accident again, and says what the metrics showed of it.",
        discussion: """
            A scenario is a fixed load that follows from its seed. Without --url it is played on a map in this process, \
            under a clock moved by hand, in about a second. With --url it is played on a daemon, in real time, so that \
            Prometheus and the boards see it: two minutes until the map is old enough to be judged, then two minutes.

              mapwatch replay list                                what there is
              mapwatch replay payment-orders                      one accident
              mapwatch replay payment-orders --compare fix        and its fix, side by side
              mapwatch replay log-aggregation --compare sharded   on another strategy
              mapwatch replay --all                               the seven, and their sum
              mapwatch replay --all --url http://127.0.0.1:10198  on a daemon: 16 minutes
              mapwatch replay --all --url … --parallel            all at once: 4 minutes

            "minimal" is the articles' smallest example: three keys, one deleted while the map is walked.
            """)

    @Argument(help: "A scenario, or \"list\".")
    var scenario: String?

    @Flag(help: "The seven accidents, one after the other.")
    var all = false

    @Option(help: "The strategy of the map, checked without it: \(ReplayMap.strategies.joined(separator: ", ")).")
    var strategy: String?

    @Option(help: "The number of the map's shards; one on strategy checked, as a Go map has one word to look at.")
    var shards: Int?

    @Option(help: "What chooses a key's shard: keyed, fnv1a or identity.")
    var hash: String?

    @Option(help: "What a map on strategy checked does at a conflict: reject, count or trap.")
    var policy: String?

    @Option(help: "Plays it once more and prints both side by side: \"fix\" for the scenario's own fix, or a strategy.")
    var compare: String?

    @Option(help: "Where the load begins: the same seed repeats every operation.")
    var seed: UInt64 = 20_260_301

    @Option(help: "The data API of a daemon, such as http://127.0.0.1:10198.")
    var url: String?

    @Option(help: "Its metrics.")
    var metricsURL = "http://127.0.0.1:10197/metrics"

    @Flag(help: "With --all and --url: all seven at once.")
    var parallel = false

    @Option(
        help: ArgumentHelp(
            "With --url: so many of the scenario's seconds in one, to try the way there.", visibility: .hidden))
    var pace = 1

    func validate() throws {
        guard all || scenario != nil else {
            throw ValidationError("name a scenario, or give --all; \"mapwatch replay list\" says what there is")
        }
        guard !all || scenario == nil else {
            throw ValidationError("--all plays every accident; leave \"\(scenario ?? "")\" away")
        }
        do {
            if let scenario, scenario != "list" { _ = try ScenarioCatalog.scenario(scenario) }
            for name in [strategy, compare == "fix" ? nil : compare].compactMap({ $0 }) {
                _ = try ReplayMap(strategy: name)
            }
        } catch { throw ValidationError("\(error)") }
        guard !parallel || url != nil else {
            throw ValidationError("--parallel is for --url; in this process a replay takes a second")
        }
        guard (1...1000).contains(pace), pace == 1 || url != nil else {
            throw ValidationError("--pace is for --url, and 1 to 1000, not \(pace)")
        }
        guard scenario != "minimal" || url == nil else {
            throw ValidationError("minimal is played in this process; leave --url away")
        }
    }

    func run() throws {
        guard scenario != "list" else { return list() }
        let chosen = try scenario.map { [try ScenarioCatalog.scenario($0)] } ?? ScenarioCatalog.accidents
        do {
            let runs = try chosen.map { try replays(of: $0) }
            let results = try play(runs)
            for (run, results) in zip(runs, results) {
                print(
                    run.count == 1
                        ? ReplayReport.paragraph(results[0]) : ReplayReport.comparison(results[0], results[1]))
            }
            if all {
                if compare != nil { print("after: \(ReplayReport.total(results.map { $0[1] }))") }
                print(ReplayReport.total(results.map { $0[0] }))
            }
        } catch {
            System.writeToStandardError(Array("mapwatch replay: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }

    private func list() {
        for card in ScenarioCatalog.cards {
            print("\(card.name)\n  \(card.title) (\(card.origin.rawValue)): \(card.story)")
            print("  fix \(card.fix.name): \(card.fix.story)")
        }
    }

    /// One replay, or two that are compared.
    private func replays(of scenario: any Scenario.Type) throws -> [ReplayRun] {
        let strategy = strategy ?? ReplayRun.defaultStrategy
        // One word for the whole map, as Go's has it.
        let fewest = strategy == MapStrategy.checked.rawValue ? 1 : nil
        let map = try ReplayMap(strategy: strategy, shards: shards ?? fewest, hash: hash, policy: policy)
        let naive = ReplayRun(scenario: scenario, way: .naive, map: map, seed: seed)
        guard let compare else { return [naive] }
        guard compare == "fix" else {
            return [
                naive,
                ReplayRun(
                    scenario: scenario, way: .naive, map: try map.on(strategy: compare), seed: seed, isSecond: true),
            ]
        }
        let fixed = try map.fixed(by: scenario.card.fix)
        return [naive, ReplayRun(scenario: scenario, way: .fixed, map: fixed, seed: seed, isSecond: true)]
    }

    /// Results in the order of the runs.
    private func play(_ runs: [[ReplayRun]]) throws -> [[ReplayResult]] {
        let progress = ReplayProgress(count: runs.reduce(0) { $0 + $1.count })
        defer { progress.end() }
        guard let url else { return try runs.map { try $0.map { run in try run.playHere(progress) } } }
        let remote = RemoteReplay(
            data: ReplayConnections(try DaemonAddress(url: url)),
            metrics: RemoteMetrics(connections: ReplayConnections(try DaemonAddress(url: metricsURL))),
            isParallel: parallel, pace: pace)
        let flat = Array(runs.joined())
        progress.say("\(flat.count) replay\(flat.count == 1 ? "" : "s"), \(remote.seconds(flat.count)) seconds in all")
        var results = try remote.play(flat, progress)[...]
        return runs.map { run in
            defer { results = results.dropFirst(run.count) }
            return Array(results.prefix(run.count))
        }
    }
}

/// One replay as it was asked for.
struct ReplayRun: Sendable {
    let scenario: any Scenario.Type
    let way: ScenarioWay
    let map: ReplayMap
    let seed: UInt64
    /// Whether it is compared with another one of the same scenario.
    var isSecond = false

    /// Of its map on a daemon: the prefix says whose it is, since a replay drops the one that stands.
    var mapName: String { "replay-\(scenario.card.name)" + (isSecond ? "-compared" : "") }

    /// Fail-fast detection, since the seventh accident shows nowhere else.
    static var defaultStrategy: String {
        MapStrategy.checked.rawValue
    }

    func playHere(_ progress: ReplayProgress) throws -> ReplayResult {
        progress.begin("\(scenario.card.name), \(way.rawValue)")
        return try LocalReplay.run(scenario, way: way, on: map, seed: seed) { progress.show(second: $0) }
    }
}
