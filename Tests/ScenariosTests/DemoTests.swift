import InstrumentedMaps
import Scenarios
import Testing

@Suite("Demo")
struct DemoTests {
    @Test("what goes on beside the accidents moves each of its maps, and ends when it is cancelled")
    func baseline() async throws {
        let host = MapHost { 0 }
        let maps = try DemoBaseline.maps()
        for map in maps { _ = try host.create(map.name, map.options) }
        let targets = try maps.map { LocalTarget(try host.mapForWriting($0.name)) }
        let workload = DemoBaseline(sessions: targets[0], rules: targets[1], products: targets[2], seed: 7)
        let playing = Task { await workload.run() }
        while !host.snapshot().maps.allSatisfy({ $0.sum(\.writes) > 0 && $0.sum(\.loads) > 0 }) { await Task.yield() }
        playing.cancel()
        await playing.value
    }

    @Test("each accident is on the stage for its two minutes, in the order of the catalogue, and warms up before")
    func rotation() {
        var played: [Int] = []
        for second in 0..<2 * DemoRotation.length + ScenarioTime.warmUp {
            let acts = DemoRotation.acts(second: second)
            for act in acts where act.second == ScenarioTime.warmUp { played.append(act.index) }
            #expect(acts.count { $0.isPlayed } == (second < ScenarioTime.warmUp ? 0 : 1))
            #expect(Set(acts.map(\.index)).count == acts.count)
            #expect(acts.allSatisfy { $0.second < ScenarioTime.length })
        }
        #expect(played == Array(0..<7) + Array(0..<7))
    }

    @Test("its keys follow from its seed")
    func deterministic() {
        var first = SplitMix(seed: 42)
        var second = SplitMix(seed: 42)
        #expect((0..<100).map { _ in first.next() } == (0..<100).map { _ in second.next() })
        // The generator's published first value for seed 0.
        var zero = SplitMix(seed: 0)
        #expect(zero.next() == 0xe220_a839_7b1d_cdaf)
    }
}
