import AccidentIndicators
import InstrumentedMaps

/// A map that is only counters, played to a tracker second by second.
struct Tape {
    private(set) var tracker: IndicatorTracker
    private(set) var now: UInt64 = 1_000_000_000_000
    private let name: MapName
    private var incarnation: UInt64 = 1
    private(set) var shards: [ShardSample]
    /// Bytes that an entry takes.
    private let entryBytes: UInt64 = 100

    init(shards: Int = 4, lines: IndicatorLines = IndicatorLines()) throws {
        name = try MapName("orders")
        self.shards = Array(repeating: ShardSample(), count: shards)
        tracker = IndicatorTracker(lines: [name: lines])
    }

    var glance: MapGlance {
        get throws {
            MapGlance(
                MapSnapshot(
                    incarnation: incarnation, name: name, options: try MapOptions(shards: shards.count), createdAt: 0,
                    shards: shards))
        }
    }

    var reading: IndicatorReading { tracker.readings[incarnation] ?? IndicatorReading() }

    var window: MapWindow? { tracker.window(of: incarnation) }

    /// Writes that fall evenly on the shards.
    mutating func write(inserts: UInt64 = 0, updates: UInt64 = 0, deletes: UInt64 = 0) {
        let count = UInt64(shards.count)
        for index in shards.indices {
            /// The part of a total that falls on this shard.
            func part(_ total: UInt64) -> UInt64 { total / count + (UInt64(index) < total % count ? 1 : 0) }
            shards[index].inserts += part(inserts)
            shards[index].updates += part(updates)
            shards[index].deletes += part(deletes)
            shards[index].entries = shards[index].inserts - shards[index].deletes
            shards[index].liveBytes = shards[index].entries * entryBytes
        }
    }

    /// Changes one shard only.
    mutating func change(_ shard: Int, _ body: (inout ShardSample) -> Void) { body(&shards[shard]) }

    /// Takes a sample, then lets a second pass; `write` says what happens in each.
    mutating func play(seconds: Int, _ write: (inout Tape, _ second: Int) throws -> Void = { _, _ in }) throws {
        for second in 0..<seconds {
            try write(&self, second)
            now += 1_000_000_000
            tracker.sample([try glance], atNanoseconds: now)
        }
    }

    /// A map of so many entries that has been idle for so long.
    static func settled(
        entries: UInt64 = 10_000, seconds: Int = 130, shards: Int = 4, lines: IndicatorLines = IndicatorLines()
    ) throws -> Tape {
        var tape = try Tape(shards: shards, lines: lines)
        tape.write(inserts: entries)
        try tape.play(seconds: seconds)
        return tape
    }

    /// The map is dropped and created anew, empty.
    mutating func recreate() {
        incarnation += 1
        shards = shards.map { _ in ShardSample() }
    }

    /// The map is dropped.
    mutating func drop() {
        now += 1_000_000_000
        tracker.sample([], atNanoseconds: now)
    }
}
