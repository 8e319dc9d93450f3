/// 1200 log lines a second are counted by three lanes at once, and nothing is deleted: the accident of which no size and no
/// delete share speaks.
struct LogAggregation: Scenario {
    static let card = ScenarioCard(
        name: "log-aggregation", title: "log aggregation at 1200 operations/s", origin: .ours,
        story: "many writers store the last entry of each source, two of them at once into the same one",
        fix: .init(
            "sharded", "the same code on a map of 256 shards, each with a lock", strategy: "sharded", shards: 256),
        lanes: ["collector", "collector", "collector"])

    private static let sources = 1200
    private static let bytes = 300
    private var version = 0
    private var random: SplitMix

    init(seed: UInt64, way: ScenarioWay) { random = SplitMix(seed: seed) }

    mutating func plan(second: Int) -> [Turn] {
        if ScenarioTime.fill.contains(second) {
            return [.lanes([[last()] + (second * 100..<(second + 1) * 100).map { put($0) }])]
        }
        guard ScenarioTime.accident(at: second) != nil else { return [lines(50)] }
        // Both have the same line: what the entry holds at the end does not depend on who came last.
        let last = last()
        return [lines(399), .overlap(last, last)]
    }

    /// The entry that two collectors store at once; large, so that a store takes a while.
    private mutating func last() -> Step {
        version += 1
        return .put(Key("last", 0), version: version, bytes: 60_000)
    }

    /// So many lines a lane, each lane from sources of its own.
    private mutating func lines(_ count: Int) -> Turn {
        .lanes(
            (0..<3).map { lane in
                (0..<count).map { _ in put(3 * Int.random(in: 0..<LogAggregation.sources / 3, using: &random) + lane) }
            })
    }

    private mutating func put(_ source: Int) -> Step {
        version += 1
        return .put(Key("source", source), version: version, bytes: LogAggregation.bytes)
    }
}
