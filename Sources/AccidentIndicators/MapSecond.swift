import InstrumentedMaps

/// What a whole map had counted at one sample: sums over its shards. Samples are a second apart.
public struct MapSecond: Sendable, Equatable {
    /// Monotonic time of the sample.
    public private(set) var nanoseconds: UInt64
    public let entries: UInt64
    public let liveBytes: UInt64
    public let inserts: UInt64
    public let updates: UInt64
    public let deletes: UInt64
    public let deletesDuringIteration: UInt64
    /// Hits and misses.
    public let loads: UInt64
    public let lockAcquired: UInt64
    public let lockContended: UInt64
    public let lockWaitNanoseconds: UInt64

    /// Completed writes.
    public var writes: UInt64 { inserts &+ updates &+ deletes }

    /// The same sums at a later time.
    func again(atNanoseconds now: UInt64) -> MapSecond {
        var second = self
        second.nanoseconds = now
        return second
    }

    init(_ sums: ShardGlance, atNanoseconds nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
        entries = sums.entries
        liveBytes = sums.liveBytes
        inserts = sums.inserts
        updates = sums.updates
        deletes = sums.deletes
        deletesDuringIteration = sums.deletesDuringIteration
        loads = sums.loads
        lockAcquired = sums.lockAcquired
        lockContended = sums.lockContended
        lockWaitNanoseconds = sums.lockWaitNanoseconds
    }
}
