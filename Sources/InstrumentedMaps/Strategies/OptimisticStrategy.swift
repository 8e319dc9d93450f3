import CSystem
import Instruments

// `sharded` with `reads: optimistic`: the articles' segment lock with a version counter (row M4). Writers are those of
// `sharded`, one lock a shard, and make the shard's version odd while they change the table; a reader takes no lock:
//
//     enter epoch ──▶ look ──▶ nothing changed meanwhile? ──yes──▶ answer, one cell of the thread's own line bumped
//                      ▲              │ no
//                      └── 3 times ◀──┴── then the lock, as everybody: a reader always gets through
//
// The guard is the one of `sharded`; what differs is the table, `PublishedByteTable`, whose type decides at compile time
// how it is written and whether it is read without the lock. Maps of that other kind have no branch for it.

/// A byte table that readers may look at without the shard's lock.
struct PublishedByteTable: ByteKeyedTable, ~Copyable {
    static var isPublished: Bool { true }

    private var table: ByteTable
    private let view: PublishedTable

    init(budget: MemoryBudget, clock: ExpiryClock, ttlSeconds: Int?) {
        table = ByteTable(budget: budget, clock: clock, ttlSeconds: ttlSeconds)
        view = PublishedTable.make(budget: budget, clock: clock)
    }

    deinit { view.destroy() }

    private var writes: PublishedWrites { PublishedWrites(table: view) }

    var published: PublishedTable? { view }

    var levels: TableLevels {
        let levels = table.levels
        return TableLevels(
            count: levels.count, capacity: levels.capacity, liveBytes: levels.liveBytes,
            allocatedBytes: levels.allocatedBytes &+ view.retiredBytes)
    }

    var growth: TableGrowth { table.growth }

    /// Memory that waits for readers to leave is a chore too.
    var state: TableState { view.retiredBytes > 0 ? table.state.with(.chores) : table.state }

    func show(_ whereabouts: borrowing TableWhereabouts) { table.show(whereabouts) }

    var expiry: ExpiryCounters? { table.expiry }

    func find(_ key: Span<UInt8>, _ hash: KeyHash, by whereabouts: borrowing TableWhereabouts) -> [UInt8]? {
        table.find(key, hash, by: whereabouts)
    }

    func copyValue(
        of key: Span<UInt8>, _ hash: KeyHash, by whereabouts: borrowing TableWhereabouts,
        to output: UnsafeMutableRawPointer?, room: Int
    ) -> Int? {
        unsafe table.copyValue(of: key, hash, by: whereabouts, to: output, room: room)
    }

    func appendValue(
        of key: Span<UInt8>, _ hash: KeyHash, by whereabouts: borrowing TableWhereabouts, to output: inout ByteBuffer
    ) -> Bool {
        table.appendValue(of: key, hash, by: whereabouts, to: &output)
    }

    func withValue<R>(_ key: Span<UInt8>, _ hash: KeyHash, _ body: (Span<UInt8>?) -> R) -> R {
        table.withValue(key, hash, body)
    }

    @inline(__always)
    mutating func store(
        _ key: Span<UInt8>, _ hash: KeyHash, value: Span<UInt8>, for seconds: Int?
    ) -> StoreOutcome {
        table.store(key, hash, value: value, for: seconds, writes)
    }

    @inline(__always)
    mutating func remove(_ key: Span<UInt8>, _ hash: KeyHash) -> Bool { table.remove(key, hash, writes) }

    func forEach(_ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Void) { table.forEach(body) }

    mutating func maintain(budget: Int) -> Int {
        view.drain()
        return table.maintain(budget: budget, writes)
    }
}

extension PublishedTable {
    /// Looks before a reader takes the lock.
    private static var looks: Int { 4 }

    /// What `copy` makes of the record of `key`, nil inside when it is absent; nil outside when writers were in the way,
    /// and the lock has to be taken. Linearizable; counts a load or a miss when it answers, and a retry for each look in
    /// vain, after which `copy` is called anew. A read that had to look again has found a writer: one averted conflict. One
    /// that gives up leaves that to the lock, or it would count twice.
    @inline(__always)
    func load<Value>(
        _ key: Span<UInt8>, _ hash: KeyHash, _ copy: (RecordHeader, UnsafeRawPointer) -> Value
    ) -> Value?? {
        guard let slot = epochs.enter() else { return nil }
        defer { slot.leave() }
        for attempt in 0..<PublishedTable.looks {
            switch unsafe look(key, hash, copy) {
            case .found(let value):
                reads.countHit(slot)
                if attempt > 0 { reads.countConflict(slot) }
                return .some(value)
            case .absent:
                reads.countMiss(slot)
                if attempt > 0 { reads.countConflict(slot) }
                return .some(nil)
            case .torn:
                reads.countRetry(slot)
                mapwatch_pause()
            }
        }
        return nil
    }
}
