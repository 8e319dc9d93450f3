public import Instruments

/// What one map had counted at one scrape.
///
/// Each number is right by itself; two numbers may stem from two moments, because no lock is taken to read them.
public struct MapSnapshot: Sendable {
    /// One life of a map: a map that is dropped and created again has a new one.
    public let incarnation: UInt64
    public let name: MapName
    public let options: MapOptions
    /// When the map was created, in seconds since 1970.
    public let createdAt: Double
    public let mode: MapMode
    /// One row a shard, in the order of the shards. The first one's lock counters include those of the map's one lock,
    /// which is taken in mode `global`.
    public let shards: [ShardSample]
    /// Every ended wait for one of the shards' locks; the sum is that of the shards' `lockWaitNanoseconds`.
    public let lockWaits: LatencySample
    /// How long operations took, one in 64.
    public let timings: OperationTimings
    /// Conflicts found; nil unless the strategy is `checked`.
    public let conflicts: ConflictSample?
    /// How finely it is shown; decided by the host for the map's life.
    public internal(set) var detail = SeriesDetail.shard

    /// Live iterators that are open now.
    public let openIterators: Int
    /// How long ago the open iterator that has rested longest was opened or last moved; 0 when none is open.
    public let iteratorRestingNanoseconds: UInt64
    /// Live iterators that ended before their last entry.
    public let abortedIterators: AbortedIterators

    public init(
        incarnation: UInt64, name: MapName, options: MapOptions, createdAt: Double,
        mode: MapMode = .normal, shards: [ShardSample], lockWaits: LatencySample = LatencySample(.lockWaits),
        timings: OperationTimings = OperationTimings(), conflicts: ConflictSample? = nil, openIterators: Int = 0,
        iteratorRestingNanoseconds: UInt64 = 0, abortedIterators: AbortedIterators = AbortedIterators()
    ) {
        self.incarnation = incarnation
        self.name = name
        self.options = options
        self.createdAt = createdAt
        self.mode = mode
        self.shards = shards
        self.lockWaits = lockWaits
        self.timings = timings
        self.conflicts = conflicts
        self.openIterators = openIterators
        self.iteratorRestingNanoseconds = iteratorRestingNanoseconds
        self.abortedIterators = abortedIterators
    }

    /// What is shown: the shards, or one row with their sums.
    public var rows: [ShardSample] {
        detail == .shard ? shards : [shards.reduce(into: ShardSample()) { $0.add($1) }]
    }

    /// The sum of one column over all shards.
    public func sum(_ column: KeyPath<ShardSample, UInt64>) -> UInt64 {
        shards.reduce(0) { $0 + $1[keyPath: column] }
    }
}

/// The row of counters of one shard. Counts only grow; levels (`entries`, `capacity`, bytes) go both ways.
public struct ShardSample: Sendable, Equatable {
    public var inserts: UInt64 = 0
    public var updates: UInt64 = 0
    /// Deletes that found their key.
    public var deletes: UInt64 = 0
    public var deleteMisses: UInt64 = 0
    /// Deletes that found their key while a live iterator was open on the map.
    public var deletesDuringIteration: UInt64 = 0
    /// Deletes that the map's guard refused while an iterator was open: no writes.
    public var guardRefusals: UInt64 = 0
    /// Stores for which there was no memory: no writes.
    public var refusals: UInt64 = 0
    /// Loads that found their key.
    public var loads: UInt64 = 0
    public var loadMisses: UInt64 = 0
    /// Loads, hits and misses, that were answered without the lock: a part of those above. Only maps with optimistic
    /// reads have any.
    public var optimisticReads: UInt64 = 0
    /// Looks without the lock that a writer made worthless.
    public var readRetries: UInt64 = 0
    /// Iterations that reached this shard.
    public var iterations: UInt64 = 0
    public var entries: UInt64 = 0
    /// Slots of the index.
    public var capacity: UInt64 = 0
    /// Bytes of live entries: key, value, record and index word, rounded to size class.
    public var liveBytes: UInt64 = 0
    /// Bytes that the allocator holds for the shard's records and index.
    public var allocatedBytes: UInt64 = 0
    /// Growths of the index that have ended.
    public var growths: UInt64 = 0
    /// From the begin to the end of each; operations go on meanwhile.
    public var growthNanoseconds: UInt64 = 0
    public var lockAcquired: UInt64 = 0
    /// Acquisitions whose first try failed.
    public var lockContended: UInt64 = 0
    /// Ended waits, once per waiter.
    public var lockWaitNanoseconds: UInt64 = 0
    /// Threads that wait now.
    public var lockWaiters: UInt64 = 0
    /// The longest wait that ended within the last 120 s, or the time since which somebody has been waiting, whichever is
    /// longer.
    public var lockLongestWaitNanoseconds: UInt64 = 0
    /// Operations that found another one in the shard that an unguarded map would not have survived: each counts once,
    /// when its first try to get in fails or its look without the lock is made worthless.
    public var averted = AvertedConflicts()

    public init() {}

    /// Adds another shard's row to this one; of longest waits the longer stays.
    mutating func add(_ other: ShardSample) {
        inserts &+= other.inserts
        updates &+= other.updates
        deletes &+= other.deletes
        deleteMisses &+= other.deleteMisses
        deletesDuringIteration &+= other.deletesDuringIteration
        refusals &+= other.refusals
        guardRefusals &+= other.guardRefusals
        loads &+= other.loads
        loadMisses &+= other.loadMisses
        optimisticReads &+= other.optimisticReads
        readRetries &+= other.readRetries
        iterations &+= other.iterations
        entries &+= other.entries
        capacity &+= other.capacity
        liveBytes &+= other.liveBytes
        allocatedBytes &+= other.allocatedBytes
        growths &+= other.growths
        growthNanoseconds &+= other.growthNanoseconds
        lockAcquired &+= other.lockAcquired
        lockContended &+= other.lockContended
        lockWaitNanoseconds &+= other.lockWaitNanoseconds
        lockWaiters &+= other.lockWaiters
        lockLongestWaitNanoseconds = max(lockLongestWaitNanoseconds, other.lockLongestWaitNanoseconds)
        averted = averted &+ other.averted
    }

    /// Adds what a lock has counted to the row's.
    mutating func add(_ lock: LockSample) {
        lockAcquired &+= lock.acquired
        lockContended &+= lock.contended
        lockWaitNanoseconds &+= lock.waitNanoseconds
        lockWaiters &+= lock.waiters
        lockLongestWaitNanoseconds = max(lockLongestWaitNanoseconds, lock.longestWaitNanoseconds)
        averted = averted &+ lock.averted
    }

    /// Completed writes: the denominator of the articles' delete share.
    public var writes: UInt64 { inserts + updates + deletes }
    /// Entries that ever came: each came by an insert.
    public var entriesAdded: UInt64 { inserts }
    /// Entries that ever went: each went by a delete.
    public var entriesRemoved: UInt64 { deletes }
}
