import InstrumentedMaps

// The last 120 s of one map, a sample a second, in rings:
//
//     seconds   [ s … s s ]      88 bytes a sample: sums over the map
//     shares    [ s … s s ]      4 bytes a sample: the delete share over 60 s, as it was then
//     shards    [ rows    ]      1,920 bytes a shard, where there is room for them (see IndicatorTracker)
//                  ▲
//                  └ next: the slot that the coming sample takes, the oldest once the ring is full
//
// A window of 60 s goes from the sample that is 60 s old to the newest. Samples carry their times, since a busy machine
// takes one late: the newest sample that is old enough begins the window, with half a second of grace. A map that is
// younger than its window is judged from its first sample.

/// The samples of one map, and what they say. A value; the caller brings glances and instants.
public struct MapWindow: Sendable {
    /// Samples that are kept.
    public static let capacity = 120
    /// Seconds between two samples whose sizes are compared.
    static let mutationSeconds: UInt64 = 15
    /// Seconds over which shares are taken.
    static let shareSeconds: UInt64 = 60
    /// The longest streak that 120 samples can show.
    public static let longestStreak = 7

    public let shardCount: Int
    private var seconds: [MapSecond] = []
    private var deleteRatios: [Float] = []
    private var next = 0
    private var shards: ShardSeconds?
    private var firstSample: UInt64 = 0

    init(shardCount: Int, keepsShards: Bool) {
        self.shardCount = shardCount
        seconds.reserveCapacity(MapWindow.capacity)
        deleteRatios.reserveCapacity(MapWindow.capacity)
        shards = keepsShards ? ShardSeconds(shards: shardCount) : nil
    }

    /// Samples kept now.
    public var count: Int { seconds.count }

    /// Whether the rows of the shards are kept too.
    public var keepsShards: Bool { shards != nil }

    mutating func append(_ map: MapGlance, atNanoseconds now: UInt64) {
        shards?.write(map.shards, slot: next)
        append(MapSecond(map.sums, atNanoseconds: now))
    }

    /// Takes a sample of a map of which nothing has changed since the newest, if there is one.
    mutating func appendUnchanged(atNanoseconds now: UInt64) {
        guard count > 0 else { return }
        let newest = slot(0)
        shards?.copy(slot: newest, to: next)
        append(second(0).again(atNanoseconds: now))
    }

    private mutating func append(_ second: MapSecond) {
        if seconds.isEmpty { firstSample = second.nanoseconds }
        if seconds.count < MapWindow.capacity { seconds.append(second) } else { seconds[next] = second }
        next = (next + 1) % MapWindow.capacity
        let share = Float(deleteRatio)
        if deleteRatios.count < seconds.count { deleteRatios.append(share) } else { deleteRatios[slot(0)] = share }
    }

    /// The sample taken so many samples ago; 0 is the newest. `age` is below ``count``.
    public func second(_ age: Int) -> MapSecond { seconds[slot(age)] }

    /// The delete share over 60 s as it stood at the sample taken so many samples ago.
    public func deleteRatio(age: Int) -> Double { Double(deleteRatios[slot(age)]) }

    /// A shard's row at the sample taken so many samples ago; nil where rows are not kept.
    public func shard(_ shard: Int, age: Int) -> ShardSecond? { shards?.row(shard, slot: slot(age)) }

    /// Seconds since the first sample of the map.
    var age: UInt64 { count == 0 ? 0 : (second(0).nanoseconds &- firstSample) / 1_000_000_000 }

    /// The newest sample that is at least so many seconds older than the newest, by its age in samples; nil when none is.
    func age(ofSecondsBack seconds: UInt64) -> Int? {
        guard count > 0 else { return nil }
        let now = second(0).nanoseconds
        let grace: UInt64 = 500_000_000
        func isOld(_ age: Int) -> Bool { now &- second(age).nanoseconds + grace >= seconds * 1_000_000_000 }
        // Samples are a second apart as a rule, so the one that is looked for is here or next to it.
        var age = min(Int(seconds), count - 1)
        while age > 0, isOld(age - 1) { age -= 1 }
        while age < count, !isOld(age) { age += 1 }
        return age < count ? age : nil
    }

    private func slot(_ age: Int) -> Int { (next - 1 - age + 2 * MapWindow.capacity) % MapWindow.capacity }
}
