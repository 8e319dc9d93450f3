import Scenarios
import Testing

@testable import Scenarios

@Suite("Plans of scenarios")
struct ScenarioPlanTests {
    static let names = ScenarioCatalog.accidents.map { $0.card.name }

    @Test("seven accidents, four of them the articles', each with a name, a story, a fix and names for its lanes")
    func cards() {
        let cards = ScenarioCatalog.accidents.map { $0.card }
        #expect(Set(cards.map(\.name)).count == 7)
        #expect(cards.count { $0.origin == .articles } == 4)
        for card in cards {
            #expect(!card.title.isEmpty && !card.story.isEmpty && !card.fix.story.isEmpty && card.lanes.count == 3)
        }
    }

    @Test("an unknown scenario is refused with the known ones")
    func unknown() {
        #expect {
            _ = try ScenarioCatalog.scenario("nope")
        } throws: { error in
            "\(error)"
                == "scenario \"nope\" is unknown; known are \(ScenarioPlanTests.names.joined(separator: ", ")), minimal"
        }
    }

    @Test("an unknown strategy is refused with the known ones")
    func unknownStrategy() {
        #expect {
            _ = try ReplayMap(strategy: "nope")
        } throws: { "\($0)".hasPrefix("strategy \"nope\" is unknown; known are sharded, rwlock") }
    }

    @Test("in no turn does a lane touch a key that another one changes", arguments: names, ScenarioWay.allCases)
    func disjoint(name: String, way: ScenarioWay) throws {
        var scenario = try ScenarioCatalog.scenario(name).init(seed: 3, way: way)
        for second in 0..<ScenarioTime.length {
            for case .lanes(let lanes) in scenario.plan(second: second) {
                let touched = lanes.map { Set($0.flatMap(\.keys)) }
                for (index, lane) in lanes.enumerated() {
                    let changed = lane.filter { if case .get = $0 { false } else { true } }.flatMap(\.keys)
                    for other in touched.indices where other != index {
                        #expect(touched[other].isDisjoint(with: changed), "second \(second)")
                    }
                }
            }
        }
    }

    @Test("the seed decides what is done", arguments: names)
    func seeded(name: String) throws {
        let scenario = try ScenarioCatalog.scenario(name)
        func plan(_ seed: UInt64) -> UInt64 {
            var scenario = scenario.init(seed: seed, way: .naive)
            var digest = Digest()
            for second in 0..<ScenarioTime.length {
                for turn in scenario.plan(second: second) { digest.add(turn) }
            }
            return digest.value
        }
        #expect(plan(1) == plan(1))
        #expect(plan(1) != plan(2))
    }

    @Test("log aggregation does 1200 operations a second")
    func rate() throws {
        var scenario = try ScenarioCatalog.scenario("log-aggregation").init(seed: 1, way: .naive)
        for second in 0..<ScenarioTime.length {
            let operations = scenario.plan(second: second).reduce(0) { $0 + $1.operations }
            if ScenarioTime.accident.contains(second) { #expect((1199...1200).contains(operations)) }
        }
    }
}
