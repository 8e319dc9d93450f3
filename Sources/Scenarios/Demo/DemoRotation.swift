// The seven accidents one after the other, for ever. Each warms up while the one before it is played:
//
//     seconds   0        120       240       360              960
//     1st       ├ warm-up ┼ played ─┤
//     2nd                 ├ warm-up ┼ played ─┤
//     …                             ├ warm-up ┼ …
//     7th                                            … played ─┤ and the 1st again from here on
//
// So from the second minute on there is always one accident on the stage, each two minutes long.

/// Which scenarios act in which second of a demo, and in which second of their own. A pure value.
public struct DemoRotation: Sendable {
    /// Seconds until everything comes again.
    public static let length = ScenarioCatalog.accidents.count * ScenarioTime.played

    /// One scenario in one second.
    public struct Act: Sendable, Equatable {
        /// Its place in ``ScenarioCatalog/accidents``.
        public let index: Int
        /// Of the scenario's own.
        public let second: Int

        /// Whether it is past its warm-up.
        public var isPlayed: Bool { second >= ScenarioTime.warmUp }
    }

    /// Those that act in this second of the demo; the one that is played comes first.
    public static func acts(second: Int) -> [Act] {
        let count = ScenarioCatalog.accidents.count
        let (part, since) = (second / ScenarioTime.played, second % ScenarioTime.played)
        let warming = Act(index: part % count, second: since)
        guard part > 0 else { return [warming] }
        return [Act(index: (part - 1) % count, second: since + ScenarioTime.warmUp), warming]
    }
}
