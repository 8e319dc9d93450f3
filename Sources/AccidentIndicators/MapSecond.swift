import InstrumentedMaps

/// What a whole map had counted at one sample: sums over its shards. Samples are a second apart.
public struct MapSecond: Sendable, Equatable {
    /// Monotonic time of the sample.
    public private(set) var nanoseconds: UInt64
    public private(set) var entries: UInt64 = 0
    public private(set) var liveBytes: UInt64 = 0
    public private(set) var inserts: UInt64 = 0
    public private(set) var updates: UInt64 = 0
    public private(set) var deletes: UInt64 = 0
    public private(set) var deletesDuringIteration: UInt64 = 0
    /// Hits and misses.
    public private(set) var loads: UInt64 = 0
    public private(set) var lockAcquired: UInt64 = 0
    public private(set) var lockContended: UInt64 = 0
    public private(set) var lockWaitNanoseconds: UInt64 = 0

    /// Completed writes.
    public var writes: UInt64 { inserts &+ updates &+ deletes }

    init(atNanoseconds nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// The same sums at a later time.
    func again(atNanoseconds now: UInt64) -> MapSecond {
        var second = self
        second.nanoseconds = now
        return second
    }

    /// Sums up a snapshot.
    init(_ map: MapSnapshot, atNanoseconds nanoseconds: UInt64) {
        self.init(atNanoseconds: nanoseconds)
        for shard in map.shards {
            entries &+= shard.entries
            liveBytes &+= shard.liveBytes
            inserts &+= shard.inserts
            updates &+= shard.updates
            deletes &+= shard.deletes
            deletesDuringIteration &+= shard.deletesDuringIteration
            loads &+= shard.loads &+ shard.loadMisses
            lockAcquired &+= shard.lockAcquired
            lockContended &+= shard.lockContended
            lockWaitNanoseconds &+= shard.lockWaitNanoseconds
        }
    }
}
