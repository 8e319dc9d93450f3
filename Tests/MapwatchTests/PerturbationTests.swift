import HTTPServer
import InstrumentedMaps
import Synchronization
import TestSupport
import Testing

@testable import mapwatch

/// Time that only the test moves.
private final class ManualClock: Sendable {
    private let nanoseconds = Atomic<UInt64>(1_000_000_000)

    func advance(seconds: UInt64) { nanoseconds.wrappingAdd(seconds * 1_000_000_000, ordering: .relaxed) }

    var now: UInt64 { nanoseconds.load(ordering: .relaxed) }
}

@Suite("Perturbations")
struct PerturbationTests {
    private let clock = ManualClock()
    private let perturbations: Perturbations
    private let host = MapHost { 0 }
    private let map: any InstrumentedMap

    init() throws {
        let clock = clock
        perturbations = Perturbations(nanoseconds: { clock.now })
        perturbations.watch(host)
        let name = try MapName("orders")
        _ = try host.create(name, MapOptions(shards: 4))
        map = try host.mapForWriting(name)
    }

    /// Whether a request for a shard is let in; it leaves at once.
    private func letsIn(_ shard: Int) -> Bool {
        guard let entered = perturbations.enter(map, { .shards([shard]) }).entered else { return false }
        perturbations.leave(map, entered)
        return true
    }

    @Test("a failing shard keeps out who needs it, and who needs all; others are let in")
    func failingShard() throws {
        _ = try perturbations.start(Perturbation(.error, shard: 2, seconds: 60), on: map)
        #expect(!letsIn(2))
        for shard in [0, 1, 3] { #expect(letsIn(shard)) }
        #expect(perturbations.enter(map) { .whole }.keptOutBy != nil)
        #expect(perturbations.enter(map) { .shards([0, 2]) }.keptOutBy != nil)
        #expect(perturbations.refused(.error) == 3)
        #expect(perturbations.refused(.stall) == 0)
    }

    @Test("every perturbation ends by itself, and the second before its end it is still on")
    func expires() throws {
        let active = try perturbations.start(Perturbation(.error, shard: 2, seconds: 60), on: map)
        clock.advance(seconds: 59)
        #expect(perturbations.isOn(active) && !letsIn(2))
        clock.advance(seconds: 1)
        #expect(!perturbations.isOn(active) && letsIn(2))
        #expect(perturbations.active(on: map.name).isEmpty)
    }

    @Test("one of a kind takes the place of the one before, and each can be ended by itself")
    func replaces() throws {
        let first = try perturbations.start(Perturbation(.error, shard: 1, seconds: 60), on: map)
        _ = try perturbations.start(Perturbation(.error, shard: 2, seconds: 60), on: map)
        #expect(!perturbations.isOn(first) && letsIn(1) && !letsIn(2))
        _ = try perturbations.start(Perturbation(.yield, seconds: 60), on: map)
        #expect(perturbations.end(.error, on: map.name).map(\.perturbation.kind) == [.error])
        #expect(perturbations.active(on: map.name).map(\.perturbation.kind) == [.yield])
        #expect(perturbations.end(nil, on: map.name).count == 1)
        #expect(perturbations.end(nil, on: map.name).isEmpty)
    }

    @Test("a map that is made anew under the name of a disturbed one is left alone")
    func anewUnderTheName() throws {
        let active = try perturbations.start(Perturbation(.error, shard: 2, seconds: 60), on: map)
        #expect(host.drop(map.name))
        _ = try host.create(map.name, MapOptions(shards: 4))
        #expect(!perturbations.isOn(active))
        #expect(perturbations.active(on: map.name).isEmpty)
    }

    @Test("a shard is held only when nobody who was let in is left inside, and is free again at the end")
    func stallWaitsForVisitors() throws {
        let visitor = perturbations.enter(map) { .whole }.entered
        let active = try perturbations.start(Perturbation(.stall, shard: 2, seconds: 60), on: map)
        #expect(!letsIn(2))
        // The visitor can still do all it came for: the shard is not held yet.
        for number in 0..<100 { map.store(Array("key-\(number)".utf8), [1]) }
        #expect(map.snapshot().shards[2].lockWaiters == 0)
        perturbations.leave(map, try #require(visitor))
        #expect(eventually { map.snapshot().shards[2].lockWaiters == 1 }, "the waiter of the perturbation itself")
        #expect(map.maintain(budget: 1_000) >= 0, "maintenance does not wait")
        #expect([0, 1, 3].allSatisfy(letsIn))
        perturbations.end(.stall, on: map.name)
        #expect(eventually { map.snapshot().shards[2].lockWaiters == 0 })
        #expect(!perturbations.isOn(active) && letsIn(2))
        for number in 0..<100 { #expect(map.load(Array("key-\(number)".utf8)) == [1]) }
    }

    @Test("shards stand still at the same time only up to a bound")
    func boundOfStalls() throws {
        for number in 0..<Perturbations.maximumStalls {
            let name = try MapName("map-\(number)")
            _ = try host.create(name, MapOptions(shards: 1))
            _ = try perturbations.start(Perturbation(.stall, shard: 0, seconds: 600), on: host.mapForWriting(name))
        }
        #expect(throws: PerturbationRefusal.self) {
            try perturbations.start(Perturbation(.stall, shard: 0, seconds: 600), on: map)
        }
        #expect(perturbations.active(on: map.name).isEmpty)
        for map in host.maps { perturbations.end(nil, on: map.name) }
    }

    // MARK: - Inside the critical section

    /// Which of so many operations, one after the other, a delay of a nanosecond hits.
    private func hits(_ perturbation: Perturbation, of count: Int, shard: Int = 0) -> [Bool] {
        let disturbance = Disturbance()
        disturbance.start(perturbation, until: clock.now + 1)
        return (0..<count).map { _ in disturbance.isHit(shard: shard) { clock.now } }
    }

    @Test("a seed hits the same operations each time, another seed others, and as many as the probability says")
    func seeds() {
        func some(_ seed: UInt64) -> [Bool] {
            hits(Perturbation(.delay, probability: 0.25, microseconds: 1, seed: seed, seconds: 1), of: 10_000)
        }
        #expect(some(7) == some(7))
        #expect(some(7) != some(8))
        // Five standard deviations, 43 each, about the mean.
        #expect((2_283...2_717).contains(some(7).count { $0 }))
        for (probability, expected) in [(0.0, 0), (1, 100)] {
            #expect(hits(Perturbation(.yield, probability: probability, seconds: 1), of: 100).count { $0 } == expected)
        }
    }

    @Test("only the shard that is meant is hit, and none once the time is over or it was ended")
    func hitsTheShardInTime() {
        let disturbance = Disturbance()
        #expect(!disturbance.isHit(shard: 2) { clock.now }, "off")
        disturbance.start(Perturbation(.yield, shard: 2, seconds: 1), until: clock.now + 1)
        #expect(disturbance.isHit(shard: 2) { clock.now })
        #expect(!disturbance.isHit(shard: 1) { clock.now })
        disturbance.end()
        #expect(!disturbance.isHit(shard: 2) { clock.now })
        disturbance.start(Perturbation(.yield, shard: 2, seconds: 1), until: clock.now + 1)
        clock.advance(seconds: 1)
        #expect(!disturbance.isHit(shard: 2) { clock.now })
    }

    @Test("a map that was made with a perturber is disturbed inside its shards, and its results stay the same")
    func disturbedMap() throws {
        let perturbations = Perturbations()
        let wired = MapHost(
            observer: { _, _, incarnation in
                PerturbingObserver(perturbations.makePerturber(of: incarnation), around: nil)
            }, secondsSince1970: { 0 })
        perturbations.watch(wired)
        _ = try wired.create(map.name, MapOptions(shards: 1))
        let map = try wired.mapForWriting(map.name)
        _ = try perturbations.start(Perturbation(.delay, microseconds: 2_000, seconds: 600), on: map)
        let clock = ContinuousClock()
        let took = clock.measure {
            for number in 0..<20 { map.store(Array("key-\(number)".utf8), [UInt8(number)]) }
        }
        #expect(took >= .milliseconds(40), "twenty delays of two milliseconds")
        perturbations.end(nil, on: map.name)
        for number in 0..<20 { #expect(map.load(Array("key-\(number)".utf8)) == [UInt8(number)]) }
    }

    // MARK: - What is asked for

    @Test(
        "a body that asks for what cannot be is refused with the field and the value",
        arguments: [
            ("{}", "kind", "one of yield, delay, error, stall"),
            (#"{"kind":"fire","seconds":1}"#, "kind", "\"fire\""),
            (#"{"kind":"yield"}"#, "seconds", "1 to 600"),
            (#"{"kind":"yield","seconds":601}"#, "seconds", "not 601"),
            (#"{"kind":"yield","seconds":0}"#, "seconds", "not 0"),
            (#"{"kind":"yield","seconds":1.5}"#, "seconds", "not 1.5"),
            (#"{"kind":"yield","seconds":1,"probability":1.01}"#, "probability", "not 1.01"),
            (#"{"kind":"yield","seconds":1,"probability":"high"}"#, "probability", "\"high\""),
            (#"{"kind":"yield","seconds":1,"microseconds":5}"#, "microseconds", "takes no"),
            (#"{"kind":"delay","seconds":1}"#, "microseconds", "1 to 10000"),
            (#"{"kind":"delay","seconds":1,"microseconds":10001}"#, "microseconds", "not 10001"),
            (#"{"kind":"stall","seconds":1}"#, "shard", "needs a shard"),
            (#"{"kind":"stall","seconds":1,"shard":4}"#, "shard", "from 0 to 3, not 4"),
            (#"{"kind":"error","seconds":1,"shard":0,"probability":0.5}"#, "probability", "takes no"),
            (#"{"kind":"yield","seconds":1,"seed":-1}"#, "seed", "not -1"),
        ])
    func refusals(body: String, field: String, says: String) {
        let problem = #expect(throws: APIProblem.self) { try Perturbation(json: Array(body.utf8), shards: 4) }
        #expect(problem?.status == 422 && problem?.field == field)
        #expect(problem?.detail.contains(says) == true, "\(problem?.detail ?? "")")
    }

    @Test("a body is read to the letter, and what is left out is every operation of every shard with seed 1")
    func reads() throws {
        let delay = try Perturbation(
            json: Array(#"{"kind":"delay","seconds":60,"shard":3,"probability":0.25,"microseconds":50,"seed":9}"#.utf8),
            shards: 4)
        #expect(delay == Perturbation(.delay, shard: 3, probability: 0.25, microseconds: 50, seed: 9, seconds: 60))
        let yield = try Perturbation(json: Array(#"{"kind":"yield","seconds":600}"#.utf8), shards: 4)
        #expect(yield == Perturbation(.yield, probability: 1, seed: 1, seconds: 600))
    }

    // MARK: - The token

    @Test("a token is admitted as a bearer's or in a line of its own, and nothing else is")
    func token() throws {
        let token = try ChaosToken("0123456789abcdef\n", from: "a test")
        #expect(token.admits([("Authorization", "Bearer 0123456789abcdef")]))
        #expect(token.admits([("authorization", "bearer 0123456789abcdef")]))
        #expect(token.admits([("Authorization", "Basic YTpi"), ("X-Mapwatch-Chaos-Token", "0123456789abcdef")]))
        for wrong in ["", "0123456789abcdeF", "0123456789abcde", "0123456789abcdef0", "0123456789abcdef "] {
            #expect(!token.admits([("Authorization", "Bearer \(wrong)")]), "\(wrong)")
        }
        #expect(!token.admits([]))
        #expect(!token.admits([("Authorization", "0123456789abcdef")]))
        let twice = ("Authorization", "Bearer 0123456789abcdef")
        #expect(!token.admits([twice, twice]))
    }

    @Test("a token that is short or holds blanks is refused, and so are two tokens and none")
    func badTokens() {
        #expect(throws: StartRefusal.self) { try ChaosToken("too short", from: "a test") }
        #expect(throws: StartRefusal.self) { try ChaosToken("0123456789 abcdef", from: "a test") }
        #expect(throws: StartRefusal.self) { try ChaosToken.read(file: nil, environment: { _ in nil }) }
        #expect(throws: StartRefusal.self) {
            try ChaosToken.read(file: "/token", environment: { _ in "0123456789abcdef" })
        }
    }
}
