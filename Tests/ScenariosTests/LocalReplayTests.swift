import Scenarios
import Testing

@Suite("Replays in process")
struct LocalReplayTests {
    static let names = ScenarioCatalog.accidents.map { $0.card.name }

    private static func replay(
        _ name: String, way: ScenarioWay = .naive, on strategy: String = "sharded", seed: UInt64 = 1
    ) throws -> ReplayResult {
        try LocalReplay.run(
            ScenarioCatalog.scenario(name), way: way, on: ReplayMap(strategy: strategy), seed: seed)
    }

    @Test("six accidents show the signature and the seventh shows none, on every strategy", arguments: names)
    func signature(name: String) throws {
        for strategy in ReplayMap.strategies {
            let result = try LocalReplayTests.replay(name, on: strategy)
            #expect(result.observations.peak.hasSignature == (name != "log-aggregation"), "\(name) on \(strategy)")
        }
    }

    @Test(
        "the same seed gives the same operations, contents and verdict; another gives the same verdict",
        arguments: names)
    func deterministic(name: String) throws {
        let first = try LocalReplayTests.replay(name, seed: 5)
        #expect(try LocalReplayTests.replay(name, seed: 5).verdict == first.verdict)
        let other = try LocalReplayTests.replay(name, seed: 6)
        #expect(other.verdict.contents != first.verdict.contents)
        #expect(other.verdict.hasSignature == first.verdict.hasSignature)
    }

    @Test(
        "nothing is lost but rules that a reload takes away, nothing stale but sessions that a loop revokes",
        arguments: names)
    func ledger(name: String) throws {
        let naive = try LocalReplayTests.replay(name).outcome
        #expect((naive.lost > 0) == (name == "risk-rules"))
        #expect((naive.stale > 0) == (name == "session-revocation"))
        let fixed = try LocalReplayTests.replay(name, way: .fixed).outcome
        #expect(fixed.lost == 0)
        #expect(fixed.stale == 0)
    }

    @Test(
        "the fixes that leave the loop delete nothing during an iteration",
        arguments: [
            "payment-orders", "ws-mass-disconnect", "batch-expiry", "session-revocation",
        ])
    func deletesDuringIteration(name: String) throws {
        #expect(try LocalReplayTests.replay(name).observations.peak.deletesDuringIteration > 0)
        #expect(try LocalReplayTests.replay(name, way: .fixed).observations.peak.deletesDuringIteration == 0)
    }
}
