import InstrumentedMaps
import Testing

@testable import AccidentIndicators

@Suite("The last 120 seconds")
struct MapWindowTests {
    @Test("the ring holds the newest 120 samples, sums and shards alike")
    func ring() throws {
        var tape = try Tape(shards: 3)
        try tape.play(seconds: 250) { tape, _ in
            tape.write(inserts: 3)
            tape.change(1) {
                $0.inserts += 1
                $0.lockWaitNanoseconds += ShardSecond.waitUnitNanoseconds
            }
        }
        let window = try #require(tape.window)
        #expect(window.count == MapWindow.capacity)
        for age in 0..<window.count {
            #expect(window.second(age).inserts == UInt64(250 - age) * 4)
            #expect(window.second(age).nanoseconds == tape.now - UInt64(age) * 1_000_000_000)
            #expect(window.shard(0, age: age)?.writes == UInt32(250 - age))
            #expect(window.shard(1, age: age)?.writes == UInt32(250 - age) * 2)
            #expect(window.shard(1, age: age)?.wait == UInt32(250 - age))
        }
    }

    @Test("a shard's counts may pass 32 bits: their difference stays right")
    func wrap() throws {
        var tape = try Tape(shards: 1)
        tape.change(0) { $0.deletes = UInt64(UInt32.max) - 5 }
        try tape.play(seconds: 2) { tape, _ in tape.change(0) { $0.deletes += 10 } }
        let window = try #require(tape.window)
        let (old, new) = (try #require(window.shard(0, age: 1)), try #require(window.shard(0, age: 0)))
        #expect(new.deletes &- old.deletes == 10)
        #expect(window.second(0).deletes - window.second(1).deletes == 10)
    }

    @Test("a sample that comes late, or never, does not stretch a window by more than itself")
    func lateSamples() throws {
        let orders = try MapName("orders")
        var tracker = IndicatorTracker()
        func sample(_ second: Double, deletes: UInt64) throws {
            var shard = ShardSample()
            (shard.inserts, shard.deletes, shard.entries) = (100_000, deletes, 100_000 - deletes)
            let map = MapSnapshot(
                incarnation: 1, name: orders, options: try MapOptions(shards: 1), createdAt: 0, shards: [shard])
            tracker.sample([MapGlance(map)], atNanoseconds: UInt64(second * 1e9))
        }
        // Nothing between 10 and 40 s: the machine slept.
        for second in 0...10 { try sample(Double(second), deletes: UInt64(second)) }
        for second in 40...100 { try sample(Double(second) + 0.3, deletes: UInt64(second)) }
        let window = try #require(tracker.window(of: 1))
        #expect(window.age(ofSecondsBack: 60) == 60)
        #expect(window.age(ofSecondsBack: 70) == 61)
        #expect(window.age(ofSecondsBack: 101) == nil)
    }

    @Test("a map that is created again starts anew, and a dropped one leaves nothing")
    func incarnations() throws {
        var tape = try Tape.settled()
        try tape.play(seconds: 1) { tape, _ in tape.write(deletes: 5000) }
        #expect(tape.reading.hasSignature)
        tape.recreate()
        try tape.play(seconds: 1)
        #expect(tape.reading == IndicatorReading())
        #expect(tape.window?.count == 1)
        #expect(tape.tracker.readings.count == 1)
        #expect(tape.tracker.rowBytes == 4 * 1920)
        tape.drop()
        #expect(tape.tracker.readings.isEmpty)
        #expect(tape.tracker.rowBytes == 0)
    }

    @Test("rows of shards are bounded: a map over the bound keeps its sums and all indicators")
    func bound() throws {
        #expect(ShardSeconds.bytesPerShard == 1920)
        #expect(MemoryLayout<MapSecond>.stride <= 88)
        var tracker = IndicatorTracker(lines: [:], maximumRowBytes: 10 * ShardSeconds.bytesPerShard)
        func map(_ incarnation: UInt64, shards: Int, loads: UInt64) throws -> MapGlance {
            var samples = [ShardSample](repeating: ShardSample(), count: shards)
            samples[0].loads = loads
            return MapGlance(
                MapSnapshot(
                    incarnation: incarnation, name: try MapName("map-\(incarnation)"),
                    options: try MapOptions(shards: shards), createdAt: 0, shards: samples))
        }
        for second in 1...5 as ClosedRange<UInt64> {
            tracker.sample(
                [
                    try map(1, shards: 6, loads: second), try map(2, shards: 5, loads: second),
                    try map(3, shards: 4, loads: 0),
                ],
                atNanoseconds: second * 1_000_000_000)
        }
        #expect(tracker.rowBytes == 10 * ShardSeconds.bytesPerShard)
        #expect(tracker.window(of: 1)?.keepsShards == true)
        #expect(tracker.window(of: 2)?.keepsShards == false)
        #expect(tracker.window(of: 2)?.shard(0, age: 0) == nil)
        #expect(tracker.window(of: 2)?.second(0).loads == 5)
        #expect(tracker.readings[2]?.shardImbalanceRatio == 5)
        #expect(tracker.window(of: 3)?.keepsShards == true)
    }
}

@Suite("Lines")
struct IndicatorLineTests {
    @Test("the conflict line is that of one lock below 8 shards, and that of 8 locks from there on")
    func conflictLine() {
        let lines = IndicatorLines()
        #expect(lines.line(.conflictRatio, shards: 1) == 0.31)
        #expect(lines.line(.conflictRatio, shards: 7) == 0.31)
        #expect(lines.line(.conflictRatio, shards: 8) == 0.09)
    }

    @Test("what is no line, or no number for one, is refused with its value")
    func refusals() {
        #expect(throws: IndicatorLineError.unknown("speed")) { try IndicatorLines([("speed", 1)]) }
        #expect {
            try IndicatorLines([("iterator_age_seconds", 0)])
        } throws: {
            "\($0)" == "line iterator_age_seconds must be 1.0 to 600.0, not 0.0"
        }
        for indicator in Indicator.allCases {
            #expect(throws: IndicatorLineError.self) { try IndicatorLines([(indicator.rawValue, .nan)]) }
            #expect(indicator.range.contains(IndicatorLines().line(indicator, shards: 1)))
        }
    }
}
