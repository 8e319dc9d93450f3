/// What a shard must know of its table, whatever the table holds: the levels to publish, and the chores.
///
/// Not thread safe: every call stands under the shard's guard.
@usableFromInline
protocol ShardTable: ~Copyable {
    var levels: TableLevels { get }

    /// The growths that have ended.
    var growth: TableGrowth { get }

    /// Another one whenever ``show(_:)`` would show something else, the capacity or ``growth`` is another, or there is
    /// something to keep up.
    var state: TableState { get }

    /// Notes where index and slabs are; nothing for a table that has no use for it.
    func show(_ whereabouts: borrowing TableWhereabouts)

    /// The cells of a table whose entries can expire; nil for one whose cannot.
    var expiry: ExpiryCounters? { get }

    /// Does up to `budget` small moves that no operation waits for, and returns how many; 0 when all is well.
    mutating func maintain(budget: Int) -> Int

    /// Whether readers may look at the table without the shard's guard, and where they begin.
    static var isPublished: Bool { get }
    var published: PublishedTable? { get }

    /// Releases what the entries hold; nothing else is asked of the table afterwards.
    mutating func releaseEntries()
}

/// What seldom changes of a table, in one word: a write compares it, and learns that nothing of that is to be published.
@usableFromInline
struct TableState: Equatable {
    @usableFromInline let word: UInt64

    @inlinable
    init(word: UInt64) { self.word = word }

    /// `changes` is a number that no two states with one upkeep share in succession.
    @inlinable
    init(changes: UInt64, _ upkeep: TableUpkeep) { word = changes &<< 2 &+ UInt64(upkeep.rawValue) }

    func with(_ upkeep: TableUpkeep) -> TableState { TableState(word: word | UInt64(upkeep.rawValue)) }

    @inlinable var upkeep: TableUpkeep { TableUpkeep(rawValue: UInt8(truncatingIfNeeded: word & 3)) }
}

/// What of a table is to be kept up: published, so that whoever keeps it up, and whoever counts, asks no shard that has
/// nothing of it.
@usableFromInline
struct TableUpkeep: OptionSet {
    @usableFromInline let rawValue: UInt8

    @inlinable
    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Something moves, or waits to be moved or given back: maintenance is to come.
    @inlinable static var chores: TableUpkeep { TableUpkeep(rawValue: 1) }
    /// An entry has, or had, a deadline: maintenance is to come, and entries may have gone by themselves.
    @inlinable static var deadlines: TableUpkeep { TableUpkeep(rawValue: 2) }
}

/// How full a table is.
@usableFromInline
struct TableLevels {
    /// Live entries.
    @usableFromInline let count: Int
    /// Slots of the index.
    @usableFromInline let capacity: Int
    /// Bytes of live entries with their index words: falls with every delete.
    @usableFromInline let liveBytes: Int
    /// Bytes that the table holds of the allocators.
    @usableFromInline let allocatedBytes: Int

    @inlinable
    init(count: Int, capacity: Int, liveBytes: Int, allocatedBytes: Int) {
        self.count = count
        self.capacity = capacity
        self.liveBytes = liveBytes
        self.allocatedBytes = allocatedBytes
    }
}

extension ShardTable where Self: ~Copyable {
    @usableFromInline var expiry: ExpiryCounters? { nil }

    @usableFromInline
    func show(_ whereabouts: borrowing TableWhereabouts) {}

    @usableFromInline static var isPublished: Bool { false }

    @usableFromInline var published: PublishedTable? { nil }

    /// Bytes hold nothing.
    mutating func releaseEntries() {}
}

/// A table of raw keys and values, as ``ByteMap`` uses it.
protocol ByteKeyedTable: ShardTable, ~Copyable {
    /// An empty table, which takes its memory from `budget`; entries live for `ttlSeconds` of `clock` when nobody says
    /// otherwise, nil for ever.
    init(budget: MemoryBudget, clock: ExpiryClock, ttlSeconds: Int?)

    func find(_ key: Span<UInt8>, _ hash: KeyHash, by whereabouts: borrowing TableWhereabouts) -> [UInt8]?
    func copyValue(
        of key: Span<UInt8>, _ hash: KeyHash, by whereabouts: borrowing TableWhereabouts,
        to output: UnsafeMutableRawPointer?, room: Int
    ) -> Int?
    func appendValue(
        of key: Span<UInt8>, _ hash: KeyHash, by whereabouts: borrowing TableWhereabouts, to output: inout ByteBuffer
    ) -> Bool
    func withValue<R>(_ key: Span<UInt8>, _ hash: KeyHash, _ body: (Span<UInt8>?) -> R) -> R
    mutating func store(
        _ key: Span<UInt8>, _ hash: KeyHash, value: Span<UInt8>, for seconds: Int?
    ) -> StoreOutcome
    mutating func remove(_ key: Span<UInt8>, _ hash: KeyHash) -> Bool

    // The straight way (see `ByteTable+Straight.swift`). Only where readers keep out.
    mutating func insert(
        _ place: UInt32, size: Int, at position: HashIndex.Position
    ) -> (record: Record, hasMoved: Bool)?
    mutating func remove(_ record: Record, at position: HashIndex.Position) -> Bool

    func forEach(_ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Void)
}

extension ByteKeyedTable where Self: ~Copyable {
    mutating func insert(
        _ place: UInt32, size: Int, at position: HashIndex.Position
    ) -> (record: Record, hasMoved: Bool)? { nil }

    mutating func remove(_ record: Record, at position: HashIndex.Position) -> Bool { false }

    /// Sets the value of `key` for as long as the table's entries live.
    @inline(__always)
    mutating func store(_ key: Span<UInt8>, _ hash: KeyHash, value: Span<UInt8>) -> StoreOutcome {
        store(key, hash, value: value, for: nil)
    }
}

/// How often a table has grown.
@usableFromInline
struct TableGrowth {
    @usableFromInline private(set) var count: UInt64 = 0
    /// From the begin to the end of each growth: operations go on meanwhile, and each moves a little. So the clock is read
    /// twice a growth, and not at each move.
    @usableFromInline private(set) var nanoseconds: UInt64 = 0

    @usableFromInline
    init() {}

    @usableFromInline
    mutating func add(_ nanoseconds: UInt64) {
        count += 1
        self.nanoseconds &+= nanoseconds
    }
}
