// A scenario is a plan, not a program: for each second it says which steps are taken, in which order, by which lane.
//
//     second 0        12             120      135                  210        240
//            ├─ fill ─┼─── calm ─────┼─ calm ─┼───── accident ─────┼── calm ──┤
//            └──── warm-up: the map grows old enough to be judged ─┘
//
// So the same seed gives the same operations wherever they are played: in a test, in this process under a manual clock,
// or second by second against a daemon. What a step comes to, and what the map's metrics make of it, is not the plan's.

/// A replayable accident: a value that plans its seconds, one after the other, from its seed alone.
public protocol Scenario: Sendable {
    static var card: ScenarioCard { get }

    init(seed: UInt64, way: ScenarioWay)

    /// The turns of the next second, of ``ScenarioTime/length``. In one turn no lane touches a key that another one
    /// changes.
    mutating func plan(second: Int) -> [Turn]
}

/// The clock of every scenario, in its own seconds.
public enum ScenarioTime {
    /// A map is not judged in its first two minutes.
    public static let warmUp = 120
    public static let accident = 135..<210
    public static let length = 240
    /// Without the warm-up.
    public static let played = length - warmUp
    static let fill = 0..<12

    /// In a word.
    public static func phase(at second: Int) -> String {
        accident.contains(second) ? "accident" : second < warmUp ? "warm-up" : "calm"
    }
}

/// As the accident happened, or as it would have been avoided.
public enum ScenarioWay: String, Sendable, CaseIterable {
    case naive
    case fixed
}

/// What is said of a scenario before it is played.
public struct ScenarioCard: Sendable {
    /// On the command line, and the name of its map.
    public let name: String
    public let title: String
    public let origin: Origin
    /// What goes wrong, in a sentence.
    public let story: String
    public let fix: Fix
    /// What its lanes are called.
    public let lanes: [String]

    public enum Origin: String, Sendable {
        case articles = "the articles'"
        case ours = "ours"
    }

    /// What would have avoided it, on the same load.
    public struct Fix: Sendable {
        public let name: String
        public let story: String
        /// The strategy that the fix needs, where it is one.
        public let strategy: String?
        public let shards: Int?

        init(_ name: String, _ story: String, strategy: String? = nil, shards: Int? = nil) {
            self.name = name
            self.story = story
            self.strategy = strategy
            self.shards = shards
        }
    }
}

/// All scenarios, in the order of a rotation.
public enum ScenarioCatalog {
    public static let accidents: [any Scenario.Type] = [
        PaymentOrders.self, RiskRules.self, WebSocketDisconnect.self, TaskLeases.self, BatchExpiry.self,
        SessionRevocation.self, LogAggregation.self,
    ]

    /// The articles' smallest example, which is no accident of the seven.
    public static let minimal: any Scenario.Type = Minimal.self

    /// What is said of all, the smallest example last.
    public static var cards: [ScenarioCard] { accidents.map { $0.card } + [minimal.card] }

    /// The scenario of this name, or an error that lists the known ones.
    public static func scenario(_ name: String) throws(UnknownScenario) -> any Scenario.Type {
        guard let found = (accidents + [minimal]).first(where: { $0.card.name == name }) else {
            throw UnknownScenario(name: name)
        }
        return found
    }
}

/// A name that no scenario has.
public struct UnknownScenario: Error, Equatable, CustomStringConvertible {
    public let name: String

    public var description: String {
        "scenario \"\(name)\" is unknown; known are \(ScenarioCatalog.cards.map { $0.name }.joined(separator: ", "))"
    }
}
