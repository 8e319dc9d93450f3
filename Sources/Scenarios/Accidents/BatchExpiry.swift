import InstrumentedMaps

/// Entries that were loaded together expire together: every 15 s a fifth of the cache is deleted in one loop.
struct BatchExpiry: Scenario {
    static let card = ScenarioCard(
        name: "batch-expiry", title: "batch expiry of a cache", origin: .ours,
        story: "entries that came together expire together, and one loop over the cache deletes them all",
        fix: .init("collect-then-delete", "walks a snapshot, collects the expired keys, deletes them afterwards"),
        lanes: ["expiry", "loads", "hits"])

    private let way: ScenarioWay
    private var entries: Population

    init(seed: UInt64, way: ScenarioWay) {
        self.way = way
        entries = Population("page", bytes: 200, seed: seed)
    }

    mutating func plan(second: Int) -> [Turn] {
        guard !ScenarioTime.fill.contains(second) else {
            return [.lanes([entries.arrive(ScenarioTime.fill(9000, second: second))])]
        }
        let isExpiry = ScenarioTime.accident(at: second).map { $0.isMultiple(of: 15) } ?? false
        let expired = entries.depart(isExpiry ? entries.count * 22 / 100 : 0)
        let updated = entries.update(10)
        let read = entries.read(40)
        let sweep: Step.Sweep =
            way == .naive ? .inTheLoop(pageEntries: 200, limit: .max) : .collected(pageEntries: 2000)
        let expiry: [Step] = isExpiry ? [.sweep(expired, sweep)] : []
        let turn = Turn.lanes([expiry, updated + entries.arrive(10), read])
        guard ScenarioTime.accident.contains(second) else { return [turn] }
        return [
            turn, .overlap(.walk(way == .naive ? .live : .snapshot, pageEntries: 2000), entries.touchNewest()),
        ]
    }
}
