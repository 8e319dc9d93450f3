import InstrumentedMaps
import TestSupport
import Testing

@testable import mapwatch

/// The articles' `Gosched()` in the critical section: the longer a thread stays inside, the more conflicts are found.
@Suite("Detections under perturbation")
struct DetectionTests {
    private static let threads = 4
    private static let operationsEach = 2_500

    /// Conflicts that 10,000 stores on 64 shards have found, while each has stayed inside with this probability.
    private static func detections(probability: Double, seed: UInt64) throws -> UInt64 {
        let perturbations = Perturbations()
        let host = MapHost(
            observer: { _, _, incarnation in
                PerturbingObserver(perturbations.makePerturber(of: incarnation), around: nil)
            }, secondsSince1970: { 0 })
        perturbations.watch(host)
        let name = try MapName("orders")
        _ = try host.create(name, MapOptions(strategy: .checked, shards: 64, policy: .count))
        let map = try host.mapForWriting(name)
        _ = try perturbations.start(
            Perturbation(.delay, probability: probability, microseconds: 200, seed: seed, seconds: 600), on: map)
        let begun = Tally()
        ThreadGroup.run(threads) { thread in
            var generator = SeededGenerator(seed: seed &* 1_000 &+ UInt64(thread))
            begun.add()
            while begun.value < threads {}
            for number in 0..<operationsEach {
                let key = Array("key-\(UInt16.random(in: 0..<4_096, using: &generator))".utf8)
                map.store(key, [UInt8(truncatingIfNeeded: number)])
            }
        }
        let conflicts = try #require(map.snapshot().conflicts)
        #expect(map.snapshot().sum(\.writes) == UInt64(threads * operationsEach), "counted, and none lost")
        return conflicts.writeWrites
    }

    @Test("detections per 10,000 operations rise with the probability", arguments: [1, 2, 3] as [UInt64])
    func riseWithProbability(seed: UInt64) throws {
        let found = try [0, 0.01, 0.1, 0.5].map { try Self.detections(probability: $0, seed: seed) }
        for (less, more) in zip(found, found.dropFirst()) { #expect(less < more, "\(found)") }
    }
}
