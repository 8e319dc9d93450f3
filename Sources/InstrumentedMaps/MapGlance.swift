import Instruments

/// What the indicators look at each second of one map: of each shard a narrow row, and the sums of all.
///
/// Each number is right by itself; two numbers may stem from two moments, because no lock is taken to read them.
public struct MapGlance: Sendable {
    /// One life of a map: a map that is dropped and created again has a new one.
    public let incarnation: UInt64
    public let name: MapName
    public let options: MapOptions
    public let mode: MapMode
    /// One row a shard, in the order of the shards. The first one's lock counters include those of the map's one lock,
    /// which is taken in mode `global`.
    public let shards: [ShardGlance]
    /// All shards together.
    public let sums: ShardGlance
    /// Live iterators that are open now.
    public let openIterators: Int
    /// How long ago the open iterator that has rested longest was opened or last moved; 0 when none is open.
    public let iteratorRestingNanoseconds: UInt64
    /// Since when the rows have stood as they are: the time of the glance that first gave them. Two glances with the same
    /// have the same rows. nil where nobody knows.
    public internal(set) var unchangedSince: UInt64?
    /// How finely it is shown; decided by the host for the map's life.
    public internal(set) var detail = SeriesDetail.shard

    init(
        incarnation: UInt64, name: MapName, options: MapOptions, mode: MapMode, shards: [ShardGlance],
        sums: ShardGlance, openIterators: Int, iteratorRestingNanoseconds: UInt64
    ) {
        self.incarnation = incarnation
        self.name = name
        self.options = options
        self.mode = mode
        self.shards = shards
        self.sums = sums
        self.openIterators = openIterators
        self.iteratorRestingNanoseconds = iteratorRestingNanoseconds
    }

    /// What a snapshot shows of it.
    public init(_ snapshot: MapSnapshot) {
        let shards = snapshot.shards.map(ShardGlance.init)
        self.init(
            incarnation: snapshot.incarnation, name: snapshot.name, options: snapshot.options, mode: snapshot.mode,
            shards: shards, sums: shards.reduce(into: ShardGlance()) { $0.add($1) },
            openIterators: snapshot.openIterators, iteratorRestingNanoseconds: snapshot.iteratorRestingNanoseconds)
        detail = snapshot.detail
    }
}

/// How a row was read: no part of what it says, so two rows that differ in it alone are equal.
struct ShardReading: Sendable, Equatable {
    /// Whether nobody was inside while the cells were read: then the row is right until somebody comes.
    var isAtRest = false

    static func == (left: ShardReading, right: ShardReading) -> Bool { true }
}

/// What the indicators look at of one shard; the words are those of ``ShardSample``.
public struct ShardGlance: Sendable, Equatable {
    // First, because it tells two rows apart as a rule.
    public var lockAcquired: UInt64 = 0
    public var lockContended: UInt64 = 0
    public var lockWaitNanoseconds: UInt64 = 0
    public var lockWaiters: UInt64 = 0
    public var inserts: UInt64 = 0
    public var updates: UInt64 = 0
    public var deletes: UInt64 = 0
    public var deleteMisses: UInt64 = 0
    public var deletesDuringIteration: UInt64 = 0
    /// Hits and misses.
    public var loads: UInt64 = 0
    public var entries: UInt64 = 0
    public var liveBytes: UInt64 = 0
    public var allocatedBytes: UInt64 = 0
    var reading = ShardReading()

    /// Of a shard that nobody has used.
    public init() {}

    /// What a sample shows of it.
    public init(_ sample: ShardSample) {
        lockAcquired = sample.lockAcquired
        lockContended = sample.lockContended
        lockWaitNanoseconds = sample.lockWaitNanoseconds
        lockWaiters = sample.lockWaiters
        inserts = sample.inserts
        updates = sample.updates
        deletes = sample.deletes
        deleteMisses = sample.deleteMisses
        deletesDuringIteration = sample.deletesDuringIteration
        loads = sample.loads &+ sample.loadMisses
        entries = sample.entries
        liveBytes = sample.liveBytes
        allocatedBytes = sample.allocatedBytes
    }

    /// Adds another shard's row to this one.
    @inline(__always)
    mutating func add(_ other: ShardGlance) {
        lockAcquired &+= other.lockAcquired
        lockContended &+= other.lockContended
        lockWaitNanoseconds &+= other.lockWaitNanoseconds
        lockWaiters &+= other.lockWaiters
        inserts &+= other.inserts
        updates &+= other.updates
        deletes &+= other.deletes
        deleteMisses &+= other.deleteMisses
        deletesDuringIteration &+= other.deletesDuringIteration
        loads &+= other.loads
        entries &+= other.entries
        liveBytes &+= other.liveBytes
        allocatedBytes &+= other.allocatedBytes
    }

    /// Completed writes.
    public var writes: UInt64 { inserts &+ updates &+ deletes }
    /// All that was asked of the shard, misses included.
    public var operations: UInt64 { writes &+ deleteMisses &+ loads }
}

extension LockMeter {
    /// Adds what the lock has counted to a shard's row, all of it in the line of `acquired`; not its waiters.
    @inline(__always)
    func add(to glance: inout ShardGlance) {
        glance.lockAcquired &+= acquired.value
        glance.lockContended &+= contended.value
        glance.lockWaitNanoseconds &+= waitNanoseconds.value
    }
}
