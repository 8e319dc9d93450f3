import AccidentIndicators
import InstrumentedMaps
import Instruments
import Synchronization

/// Replays in this process: the clock is moved by hand, a second for so many operations, and after each of these seconds
/// one sample of the map is taken. So four minutes pass in a few hundred milliseconds.
public enum LocalReplay {
    /// Plays one scenario on a map of its own; `progress` is told each second of it.
    public static func run(
        _ scenario: any Scenario.Type, way: ScenarioWay, on wanted: ReplayMap, seed: UInt64,
        progress: (_ second: Int) -> Void = { _ in }
    ) throws -> ReplayResult {
        let card = scenario.card
        let clock = ManualClock()
        let overlap = MeetingOverlap(card, looksForConflicts: wanted.looksForConflicts)
        let host = MapHost(
            nanoseconds: clock.nanoseconds, observer: { _, _, _ in overlap }, secondsSince1970: { 0 })
        let name = try MapName(card.name)
        _ = try host.create(name, MapOptions(fields: wanted.fields))
        let map = try host.mapForWriting(name)
        var player = ScenarioPlayer(scenario.init(seed: seed, way: way), on: LocalTarget(map), overlap: overlap)
        var tracker = IndicatorTracker()
        var observations = ReplayObservations()
        for second in 0..<ScenarioTime.length {
            try player.play(second: second)
            clock.advanceOneSecond()
            let snapshot = map.snapshot(now: clock.nanoseconds())
            tracker.sample([MapGlance(snapshot)], atNanoseconds: clock.nanoseconds())
            if second >= ScenarioTime.warmUp || card.name == ScenarioCatalog.minimal.card.name {
                observations.add(MapGauges(snapshot, tracker.readings[snapshot.incarnation] ?? IndicatorReading()))
            }
            progress(second)
        }
        return ReplayResult(
            card: card, way: way, map: wanted, observations: observations, outcome: try player.outcome())
    }
}

/// A clock that stands until it is moved.
private final class ManualClock: Sendable {
    private let now = Atomic<UInt64>(1_000_000_000)

    var nanoseconds: @Sendable () -> UInt64 { { self.now.load(ordering: .relaxed) } }

    func advanceOneSecond() { now.wrappingAdd(1_000_000_000, ordering: .relaxed) }
}

extension MapGauges {
    /// As the collectors show them.
    init(_ map: MapSnapshot, _ reading: IndicatorReading) {
        self.init()
        deleteRatio = reading.deleteRatio
        sizeMutationRatio = reading.sizeMutationRatio
        sizeMutationStreak = reading.sizeMutationStreak
        hasSignature = reading.hasSignature
        shardImbalance = reading.shardImbalanceRatio
        deletesDuringIteration = map.sum(\.deletesDuringIteration)
        if let found = map.conflicts {
            for kind in ConflictKind.allCases { conflicts[kind.rawValue] = found[kind] }
        }
        for kind in ConflictKind.allCases {
            averted[kind.rawValue] = map.shards.reduce(0) { $0 + $1.averted[kind] }
        }
    }
}
