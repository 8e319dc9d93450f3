import InstrumentedMaps
import Testing

@testable import AccidentIndicators

@Suite("How a map stands")
struct MapStandingTests {
    private func standing(_ tape: Tape) throws -> MapStanding {
        MapStanding(try tape.glance, tape.reading, IndicatorLines())
    }

    private func level(_ indicator: Indicator, _ tape: Tape) throws -> IndicatorLevel? {
        try standing(tape).indicators.first { $0.indicator == indicator }?.level
    }

    @Test("a mass delete is red, with the signature; a map that was just filled is not judged")
    func massDelete() throws {
        var tape = try Tape.settled()
        try tape.play(seconds: 1) { tape, _ in tape.write(deletes: 5000) }
        #expect(try standing(tape).level == .red)
        #expect(try level(.deleteRatio, tape) == .red)
        #expect(try level(.sizeMutationRatio, tape) == .red)

        var young = try Tape.settled(seconds: 60)
        try young.play(seconds: 1) { tape, _ in tape.write(deletes: 5000) }
        #expect(try standing(young).level == .quiet)
        #expect(try level(.deleteRatio, young) == .quiet)
    }

    @Test("steady churn colours its delete share and leaves the map quiet; an idle map is quiet in all")
    func churn() throws {
        var tape = try Tape.settled()
        #expect(try standing(tape).indicators.allSatisfy { $0.level == .quiet })
        try tape.play(seconds: 70) { tape, _ in tape.write(inserts: 500, deletes: 500) }
        #expect(try level(.deleteRatio, tape) == .red)
        #expect(try standing(tape).level == .quiet)
        #expect(tape.reading.rates.writes == 1000)
        #expect(tape.reading.rates.deletes == 500)
    }

    @Test("locks that conflict are amber only where callers wait for them")
    func conflicts() throws {
        var tape = try Tape.settled(shards: 8)
        func contend(_ tape: inout Tape, waiting nanoseconds: UInt64) {
            tape.change(0) {
                $0.lockAcquired += 100
                $0.lockContended += 50
                $0.lockWaitNanoseconds += nanoseconds
            }
        }
        try tape.play(seconds: 10) { tape, _ in contend(&tape, waiting: 40_000_000) }
        #expect(tape.reading.rates.conflictRatio == 0.5)
        #expect(try level(.conflictRatio, tape) == .quiet)
        try tape.play(seconds: 10) { tape, _ in contend(&tape, waiting: 60_000_000) }
        #expect(try level(.conflictRatio, tape) == .amber)
        #expect(try standing(tape).level == .amber)
    }

    @Test("the window keeps the delete share as it stood at each sample")
    func history() throws {
        var tape = try Tape.settled()
        try tape.play(seconds: 1) { tape, _ in tape.write(inserts: 1000, deletes: 1000) }
        try tape.play(seconds: 70)
        let window = try #require(tape.window)
        #expect(window.deleteRatio(age: 0) == 0)
        #expect(window.deleteRatio(age: 20) == 0.5)
        #expect(window.deleteRatio(age: 70) == 0.5)
        #expect(window.deleteRatio(age: 71) == 0)
    }
}
