import InstrumentedMaps

/// Gateways die one after the other and take a quarter of the connections with them, while a broadcast walks the table.
struct WebSocketDisconnect: Scenario {
    static let card = ScenarioCard(
        name: "ws-mass-disconnect", title: "WebSocket mass disconnect", origin: .articles,
        story: "a dying gateway's connections are deleted by the thousand, while broadcasts walk the table",
        fix: .init("snapshot", "broadcasts walk a snapshot; whoever disconnects meanwhile is not waited for"),
        lanes: ["broadcast", "disconnects", "connects"])

    private let way: ScenarioWay
    private var connections: Population

    init(seed: UInt64, way: ScenarioWay) {
        self.way = way
        connections = Population("conn", bytes: 180, seed: seed)
    }

    mutating func plan(second: Int) -> [Turn] {
        guard !ScenarioTime.fill.contains(second) else {
            return [.lanes([connections.arrive(ScenarioTime.fill(6000, second: second))])]
        }
        let broadcast = Step.walk(way == .naive ? .live : .snapshot, pageEntries: 500)
        let since = ScenarioTime.accident(at: second)
        // A gateway takes ten seconds to lose its quarter; three of them die, 25 s apart.
        let isDying = since.map { $0 % 25 < 10 } ?? false
        let gone = connections.depart(isDying ? connections.count / 34 : 8).map { Step.remove($0) }
        let alive = connections.update(16)
        let read = connections.read(20)
        let others = alive + connections.arrive(8) + read
        guard since != nil else {
            return [.lanes([second.isMultiple(of: 5) ? [broadcast] : [], gone, others])]
        }
        return [.lanes([[broadcast], gone, others]), .overlap(broadcast, connections.touchNewest())]
    }
}
