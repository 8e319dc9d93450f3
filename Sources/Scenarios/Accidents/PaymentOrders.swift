import InstrumentedMaps

/// Finished orders are swept out of the map in the body of a loop over it, in a burst after settlement, while the desk
/// takes and changes orders.
struct PaymentOrders: Scenario {
    static let card = ScenarioCard(
        name: "payment-orders", title: "payment-order state machine", origin: .articles,
        story: "after settlement a loop over all orders deletes the finished ones, while the desk changes others",
        fix: .init("collect-then-delete", "walks a snapshot, collects the finished orders, deletes them afterwards"),
        lanes: ["settlement", "desk", "query"])

    private let way: ScenarioWay
    private var orders: Population

    init(seed: UInt64, way: ScenarioWay) {
        self.way = way
        orders = Population("order", bytes: 240, seed: seed)
    }

    mutating func plan(second: Int) -> [Turn] {
        guard !ScenarioTime.fill.contains(second) else {
            return [.lanes([orders.arrive(ScenarioTime.fill(6000, second: second))])]
        }
        guard ScenarioTime.accident(at: second) != nil else {
            let settled = orders.depart(20).map { Step.remove($0) }
            let changed = orders.update(40)
            let read = orders.read(60)
            return [.lanes([settled, changed + orders.arrive(20), read])]
        }
        // 2 % a second: a quarter within the 15 s over which a change of size is judged.
        let finished = orders.depart(max(1, orders.count / 50))
        let changed = orders.update(20)
        let read = orders.read(30)
        let sweep: Step.Sweep =
            way == .naive ? .inTheLoop(pageEntries: 200, limit: .max) : .collected(pageEntries: 2000)
        return [
            .lanes([[.sweep(finished, sweep)], changed + orders.arrive(10), read]),
            .overlap(.walk(way == .naive ? .live : .snapshot, pageEntries: 2000), orders.touchNewest()),
        ]
    }
}
