import InstrumentedMaps

/// A pool of workers dies; the scheduler's scan for due tasks deletes each expired lease that it meets, while the other
/// workers renew theirs.
struct TaskLeases: Scenario {
    static let card = ScenarioCard(
        name: "task-leases", title: "task-scheduler lease expiry", origin: .articles,
        story: "the scan for due tasks deletes each expired lease that it meets, while living workers renew theirs",
        fix: .init("sharded", "the same code on a map whose shards have locks", strategy: "sharded"),
        lanes: ["scan", "workers", "dispatch"])

    private var leases: Population

    init(seed: UInt64, way: ScenarioWay) {
        leases = Population("lease", bytes: 160, seed: seed)
    }

    mutating func plan(second: Int) -> [Turn] {
        guard !ScenarioTime.fill.contains(second) else {
            return [.lanes([leases.arrive(ScenarioTime.fill(6000, second: second))])]
        }
        let since = ScenarioTime.accident(at: second)
        let isExpiring = since.map { $0 < 50 } ?? false
        let expired = leases.depart(isExpiring ? leases.count / 40 : 10)
        let renewed = leases.update(20)
        let dispatched = leases.read(20)
        guard since != nil else {
            return [.lanes([expired.map { .remove($0) }, renewed + leases.arrive(10), dispatched])]
        }
        return [
            .lanes([
                [.sweep(expired, .inTheLoop(pageEntries: 200, limit: .max))], renewed + leases.arrive(10), dispatched,
            ]),
            .overlap(.walk(.live, pageEntries: 2000), leases.touchNewest()),
        ]
    }
}
