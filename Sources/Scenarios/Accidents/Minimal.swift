import InstrumentedMaps

/// The articles' smallest example: three keys, and "b" is deleted while the map is walked.
struct Minimal: Scenario {
    static let card = ScenarioCard(
        name: "minimal", title: "three keys", origin: .articles,
        story: "a map holds a, b and c; b is deleted while a loop walks the map",
        fix: .init("snapshot", "the loop walks a snapshot"),
        lanes: ["walk", "delete"])

    private let way: ScenarioWay

    init(seed: UInt64, way: ScenarioWay) { self.way = way }

    mutating func plan(second: Int) -> [Turn] {
        switch second {
        case 0: [.lanes([["a", "b", "c"].map { .put(Key($0, 0), version: 1, bytes: 10) }])]
        case 1: [.overlap(.walk(way == .naive ? .live : .snapshot, pageEntries: 1), .remove(Key("b", 0)))]
        default: []
        }
    }
}
