import InstrumentedMaps
import Testing

@testable import AccidentIndicators

@Suite("Indicators")
struct IndicatorTests {
    private func isNear(_ left: Double, _ right: Double) -> Bool { abs(left - right) < 1e-9 }

    @Test("the delete share is that of the writes of the last 60 s, and 0 once they are over")
    func deleteRatio() throws {
        var tape = try Tape.settled()
        #expect(tape.reading.deleteRatio == 0)
        try tape.play(seconds: 30) { tape, _ in tape.write(inserts: 58, deletes: 42) }
        #expect(isNear(tape.reading.deleteRatio, 0.42))
        try tape.play(seconds: 59)
        #expect(isNear(tape.reading.deleteRatio, 0.42))
        try tape.play(seconds: 1)
        #expect(tape.reading.deleteRatio == 0)
    }

    @Test("deletes during iteration are a share of the deletes of the last 60 s")
    func deleteDuringIterationRatio() throws {
        var tape = try Tape.settled()
        try tape.play(seconds: 1) { tape, _ in tape.write(updates: 1000, deletes: 40) }
        #expect(tape.reading.deleteDuringIterationRatio == 0)
        try tape.play(seconds: 1) { tape, _ in
            tape.write(deletes: 40)
            tape.change(0) { $0.deletesDuringIteration += 20 }
        }
        #expect(tape.reading.deleteDuringIterationRatio == 0.25)
        try tape.play(seconds: 60)
        #expect(tape.reading.deleteDuringIterationRatio == 0)
    }

    @Test("a drop by 20 % each 15 s is a streak of 1, 2, 3, which ends when the size rests")
    func streak() throws {
        var tape = try Tape.settled()
        var streaks: [Int] = []
        for _ in 0..<3 {
            let entries = try tape.glance.sums.entries
            try tape.play(seconds: 15) { tape, second in if second == 0 { tape.write(deletes: entries / 5) } }
            #expect(isNear(tape.reading.sizeMutationRatio, 0.2))
            streaks.append(tape.reading.sizeMutationStreak)
        }
        #expect(streaks == [1, 2, 3])
        try tape.play(seconds: 1)
        #expect(tape.reading.sizeMutationStreak == 0)
        #expect(tape.reading.sizeMutationRatio == 0)
    }

    @Test("a size that changes by the line itself is not past it, by a little more it is", arguments: [1500, 1501])
    func mutationLine(deletes: UInt64) throws {
        var tape = try Tape.settled()
        try tape.play(seconds: 15) { tape, second in if second == 0 { tape.write(deletes: deletes) } }
        #expect(isNear(tape.reading.sizeMutationRatio, Double(deletes) / 10_000))
        #expect(tape.reading.sizeMutationStreak == (deletes > 1500 ? 1 : 0))
    }

    @Test("a streak is at most 7, what the samples can show")
    func longestStreak() throws {
        var tape = try Tape.settled()
        try tape.play(seconds: 300) { tape, second in
            if second % 15 == 0 { tape.write(inserts: UInt64(try tape.glance.sums.entries / 5)) }
        }
        #expect(tape.reading.sizeMutationStreak == 7)
    }

    @Test(
        "the signature needs delete share and mutation both past their lines",
        arguments: [
            (deletes: 2000 as UInt64, updates: 2500 as UInt64, expected: true),  // 44 %, 20 %
            (2000, 2800, false),  // 41.7 %, 20 %
            (1750, 1000, false),  // 64 %, 17.5 %
            (0, 5000, false),
        ])
    func signature(deletes: UInt64, updates: UInt64, expected: Bool) throws {
        var tape = try Tape.settled()
        try tape.play(seconds: 1) { tape, _ in tape.write(updates: updates, deletes: deletes) }
        #expect(tape.reading.hasSignature == expected)
        // A scrape a minute must see it.
        try tape.play(seconds: 58)
        #expect(tape.reading.hasSignature == expected)
        try tape.play(seconds: 2)
        #expect(!tape.reading.hasSignature)
    }

    @Test("a map's own lines hold in place of the articles'")
    func ownLines() throws {
        let lines = try IndicatorLines([
            ("size_mutation_ratio", 0.25), ("signature_delete_ratio", 0.9), ("signature_size_mutation_ratio", 0.1),
        ])
        var tape = try Tape.settled(lines: lines)
        try tape.play(seconds: 1) { tape, _ in tape.write(updates: 250, deletes: 2000) }
        #expect(tape.reading.sizeMutationStreak == 0)
        #expect(!tape.reading.hasSignature)
        try tape.play(seconds: 1) { tape, _ in tape.write(deletes: 700) }
        #expect(tape.reading.sizeMutationStreak == 1)
        #expect(tape.reading.hasSignature)
    }

    @Test("a map of fewer than 1,000 entries has figures and no alarm")
    func tinyMap() throws {
        for entries in [999, 1000] as [UInt64] {
            var tape = try Tape.settled(entries: entries)
            try tape.play(seconds: 15) { tape, second in if second == 0 { tape.write(deletes: 300) } }
            #expect(tape.reading.deleteRatio == 1)
            #expect(tape.reading.sizeMutationRatio > 0.29)
            #expect(tape.reading.sizeMutationStreak == (entries < 1000 ? 0 : 1))
            #expect(tape.reading.hasSignature == (entries >= 1000))
        }
    }

    @Test("fewer writes than 1 % of the entries raise no alarm, even if each changes much")
    func fewWrites() throws {
        for writes in [99, 100] as [UInt64] {
            var tape = try Tape.settled()
            try tape.play(seconds: 1) { tape, _ in
                tape.write(deletes: writes)
                for shard in 0..<4 { tape.change(shard) { $0.liveBytes /= 2 } }
            }
            #expect(tape.reading.sizeMutationStreak == (writes < 100 ? 0 : 1))
            #expect(tape.reading.hasSignature == (writes >= 100))
        }
    }

    @Test("a map is not judged in its first two minutes")
    func grace() throws {
        for seconds in [119, 120] {
            var tape = try Tape.settled(seconds: seconds)
            try tape.play(seconds: 1) { tape, _ in tape.write(deletes: 5000) }
            #expect(tape.reading.sizeMutationStreak == (seconds < 120 ? 0 : 1))
            #expect(tape.reading.hasSignature == (seconds >= 120))
        }
    }

    @Test("steady churn, a first load and an idle map raise nothing")
    func quiet() throws {
        var churn = try Tape.settled()
        var load = try Tape()
        var idle = try Tape.settled()
        for _ in 0..<400 {
            try churn.play(seconds: 1) { tape, _ in tape.write(inserts: 500, deletes: 500) }
            try load.play(seconds: 1) { tape, _ in tape.write(inserts: 1000) }
            try idle.play(seconds: 1)
            for tape in [churn, load, idle] {
                #expect(tape.reading.sizeMutationStreak == 0)
                #expect(!tape.reading.hasSignature)
            }
        }
        #expect(isNear(churn.reading.deleteRatio, 0.5))
        #expect(idle.reading == IndicatorReading())
    }

    @Test("the imbalance is the hottest shard's operations over the mean's, reads and misses included")
    func imbalance() throws {
        var tape = try Tape.settled(shards: 4)
        #expect(tape.reading.shardImbalanceRatio == 0)
        try tape.play(seconds: 1) { tape, _ in
            for shard in 0..<4 { tape.change(shard) { $0.loads += 100 } }
        }
        #expect(tape.reading.shardImbalanceRatio == 1)
        try tape.play(seconds: 1) { tape, _ in tape.change(2) { $0.loadMisses += 400 } }
        #expect(tape.reading.shardImbalanceRatio == 2.5)
        try tape.play(seconds: 60)
        #expect(tape.reading.shardImbalanceRatio == 0)
    }

    @Test("each cycle of 10 s with writes is one delete share in its bucket; 0.42 is an edge")
    func cycles() throws {
        var tape = try Tape.settled()
        func untilNextCycle() -> Int { 10 - Int((tape.now / 1_000_000_000 - 1001) % 10) }
        try tape.play(seconds: untilNextCycle())
        #expect(tape.reading.cycleDeleteRatios == CycleDeleteRatios())
        for (deletes, updates) in [(42, 58), (43, 57), (0, 1), (1, 0)] as [(UInt64, UInt64)] {
            try tape.play(seconds: 10) { tape, second in
                if second == 3 { tape.write(updates: updates, deletes: deletes) }
            }
        }
        try tape.play(seconds: 10)
        #expect(tape.reading.cycleDeleteRatios.counts == [1, 0, 0, 1, 1, 0, 0, 1])
        #expect(isNear(tape.reading.cycleDeleteRatios.sum, 0.42 + 0.43 + 0 + 1))
    }
}
