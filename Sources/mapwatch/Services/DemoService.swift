import InstrumentedMaps
import Instruments
import MapwatchServer
import Scenarios
import ServiceLifecycle

/// Plays the accidents in rotation, and the workload beside them, until the process ends.
struct DemoService: Service {
    let stage: DemoStage
    let baseline: DemoBaseline

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup { group in
                group.addTask { await baseline.run() }
                group.addTask { await stage.run() }
            }
        }
    }
}

/// Where the accidents of a demo are played: a map for each, new whenever it is the accident's turn.
final class DemoStage: Sendable {
    /// The scenario that is on the stage.
    struct Playing: Sendable, Equatable {
        let name: String
        let title: String
        /// Of its own ``ScenarioTime/length``.
        let second: Int
    }

    private let host: MapHost
    private let log: @Sendable (String) -> Void
    private let current = LockedState<Playing?>(nil)
    /// Places in the catalogue whose maps are the demo's.
    private let made = LockedState<Set<Int>>([])

    /// `log` is told why a scenario could not go on.
    init(host: MapHost, log: @escaping @Sendable (String) -> Void) {
        self.host = host
        self.log = log
    }

    /// What is played now; nil before the first second.
    var playing: Playing? { current.withLock { $0 } }

    func run() async {
        var players: [Int: ScenarioPlayer] = [:]
        var sideShow = DemoSideShow(host: host)
        let clock = ContinuousClock()
        var next = clock.now
        var second = 0
        while !Task.isCancelled {
            let acts = DemoRotation.acts(second: second)
            for act in acts {
                if act.second == 0 { players[act.index] = begin(act, round: second / DemoRotation.length) }
                await play(act, &players)
            }
            sideShow.play(second: second)
            if let act = acts.first {
                let card = ScenarioCatalog.accidents[act.index].card
                current.withLock { $0 = Playing(name: card.name, title: card.title, second: act.second) }
            }
            second += 1
            next = max(next.advanced(by: .seconds(1)), clock.now)
            try? await Task.sleep(until: next, clock: clock)
        }
        sideShow.end()
    }

    private func begin(_ act: DemoRotation.Act, round: Int) -> ScenarioPlayer? {
        let scenario = ScenarioCatalog.accidents[act.index]
        do {
            let name = try MapName(scenario.card.name)
            // A map of this name that the configuration has declared is not the demo's to drop.
            if made.withLock({ !$0.insert(act.index).inserted }) { _ = host.drop(name) }
            guard host.hostedMap(name) == nil else { throw MapHostError.nameTaken(name) }
            _ = try host.create(name, MapOptions(fields: DemoStage.map(for: scenario).fields))
            return ScenarioPlayer(
                scenario.init(seed: UInt64(round + 1), way: .naive), on: LocalTarget(try host.mapForWriting(name)),
                overlap: SimultaneousOverlap(rounds: RemoteReplay.overlapRounds))
        } catch {
            log("\(scenario.card.name): \(error)")
            return nil
        }
    }

    /// On a thread of its own, since operations block.
    private func play(_ act: DemoRotation.Act, _ players: inout [Int: ScenarioPlayer]) async {
        guard let player = players[act.index] else { return }
        let played: Result<ScenarioPlayer, any Error> = await withCheckedContinuation { continuation in
            DetachedThread.run {
                var player = player
                continuation.resume(
                    returning: Result {
                        try player.play(second: act.second)
                        return player
                    })
            }
        }
        switch played {
        case .success(let player): players[act.index] = player
        case .failure(let error):
            log("\(ScenarioCatalog.accidents[act.index].card.name): \(error)")
            players[act.index] = nil
        }
    }

    /// The maps that the accidents take.
    static func maps() -> [MapName] { ScenarioCatalog.accidents.compactMap { try? MapName($0.card.name) } }

    /// The map on which a scenario is played here.
    static func map(for scenario: any Scenario.Type) throws -> ReplayMap {
        try ReplayMap(strategy: ReplayRun.defaultStrategy)
    }
}
