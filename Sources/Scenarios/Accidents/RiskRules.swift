/// All rules are deleted and loaded anew while every payment asks for some of them.
struct RiskRules: Scenario {
    static let card = ScenarioCard(
        name: "risk-rules", title: "risk-rule cache reload", origin: .articles,
        story: "a reload deletes all rules, fetches the new ones and stores them, while every payment reads some",
        fix: .init("store-over", "stores each new rule over the old one; nothing is deleted that is still in force"),
        lanes: ["loader", "payments", "payments"])

    private static let rules = 4000
    private static let builtIn = 400
    private static let bytes = 120
    private let way: ScenarioWay
    private var version = 0
    private var random: SplitMix

    init(seed: UInt64, way: ScenarioWay) {
        self.way = way
        random = SplitMix(seed: seed)
    }

    mutating func plan(second: Int) -> [Turn] {
        if ScenarioTime.fill.contains(second) {
            let share = RiskRules.rules / ScenarioTime.fill.count + 1
            return [.lanes([store(second * share..<min(RiskRules.rules, (second + 1) * share))])]
        }
        guard let since = ScenarioTime.accident(at: second) else {
            let changed = (0..<5).map { _ in Int.random(in: 0..<RiskRules.rules, using: &random) }
            return [.lanes([changed.flatMap { store($0..<$0 + 1) }]), reads()]
        }
        // Three reloads of 25 s, of all rules but the built-in ones: 4 s of deleting, 8 s until the new ones come, 8 s of
        // storing.
        let phase = since % 25
        var turns: [Turn] = []
        switch (way, phase) {
        case (.naive, 0..<4):
            turns.append(
                .lanes([[.clear((RiskRules.builtIn + phase * 900..<RiskRules.builtIn + (phase + 1) * 900).map(rule))]]))
        case (_, 12..<20):
            turns.append(
                .lanes([store(RiskRules.builtIn + (phase - 12) * 450..<RiskRules.builtIn + (phase - 11) * 450)]))
        default: break
        }
        // The rule that says when the reload began: written and read at the same time.
        let mark = Key("mark", 0)
        version += 1
        return turns + [reads(), .overlap(.get(mark), .put(mark, version: version, bytes: RiskRules.bytes))]
    }

    private mutating func store(_ numbers: Range<Int>) -> [Step] {
        numbers.map { number in
            version += 1
            return .put(rule(number), version: version, bytes: RiskRules.bytes)
        }
    }

    private mutating func reads() -> Turn {
        .lanes(
            (0..<3).map { _ in
                (0..<40).map { _ in .get(rule(Int.random(in: 0..<RiskRules.rules, using: &random))) }
            })
    }

    private func rule(_ number: Int) -> Key { Key("rule", number) }
}
