public import Instruments

// One lock, one table, one row of counters. What a table holds is its own affair; how it is guarded and what is counted
// is decided here, once for all tables:
//
//     load     readers' side    value or nil      → load, load miss
//     store    writers' side    StoreOutcome      → insert, update, refusal
//     delete   writers' side    removed or nil    → delete, delete miss
//     modify   writers' side    ShardEffects      → any of these, in one critical section
//     peek     readers' side    whatever          → nothing: for iterators, which count when they enter the shard
//
// In memory, a cache line each; with 256 shards every line more would be 16 KiB that a core cannot keep at hand:
//
//     0     writes        what a write counts and publishes
//     64    table, loads, whereabouts, guard's word and entrances      all that a load needs beside the entry itself
//     128   guard         what those have counted who had to wait
//     …     rare          and what never changes

/// A table behind its guard.
///
/// Every path to the table leads through here, so that no operation can forget its counter.
@safe
@usableFromInline
struct Shard<Guard: ShardGuard & ~Copyable, Table: ShardTable & ~Copyable>: ~Copyable, @unchecked Sendable {
    @usableFromInline let writes = WriteCounters()
    // Safety: the table is read only inside `shardGuard.sharing` and changed only inside `exclusively`; it lives behind
    // a pointer because a shard is borrowed, never mutated, by the many threads that use it.
    @usableFromInline let table: UnsafeMutablePointer<Table>
    @usableFromInline let loads = LoadCounters()
    @usableFromInline let whereabouts = TableWhereabouts()
    @usableFromInline let shardGuard: Guard
    @usableFromInline let rare = RareCounters()
    private let owner: TableOwner<Table>
    // Safety: `iterators` keeps the cell alive as long as this shard.
    @usableFromInline let openCount: UnsafeMutablePointer<OpenCount>
    @usableFromInline let deletionGuard: DeletionGuard
    let iterators: OpenIterators
    let expiry: ExpiryCounters?
    /// What readers without the guard look at; nil when the table's type has none.
    let published: PublishedTable?

    /// `iterators` are those of the map: a delete looks whether one is open.
    init(_ shardGuard: consuming Guard, _ table: consuming Table, _ iterators: OpenIterators) {
        self.shardGuard = shardGuard
        self.iterators = iterators
        unsafe openCount = iterators.count
        deletionGuard = iterators.deletionGuard
        expiry = table.expiry
        published = table.published
        owner = TableOwner(table)
        unsafe self.table = owner.table
    }

    /// Looks something up, and counts a load or, when nothing was found, a load miss.
    @inlinable
    @inline(__always)
    func load<Value>(_ watch: OperationWatch? = nil, _ find: (borrowing Table) -> Value?) -> Value? {
        sharing(watch, as: .read, refused: nil) {
            let value = unsafe find(table.pointee)
            countLoad(hit: value != nil, watch)
            return value
        }
    }

    /// Stores something, and counts what became of it.
    @inlinable
    @inline(__always)
    func store(_ watch: OperationWatch? = nil, _ store: (inout Table) -> StoreOutcome) -> StoreOutcome {
        exclusively(watch, refused: .refused) {
            let outcome = unsafe store(&table.pointee)
            countStore(outcome, watch)
            return outcome
        }
    }

    /// Takes something away, and counts a delete or, when nothing was there, a delete miss. Traps when the map's guard
    /// refuses: whoever expects that asks ``admitsDelete()`` in a ``modify(_:)``.
    @inlinable
    @inline(__always)
    func delete<Removed>(_ watch: OperationWatch? = nil, _ remove: (inout Table) -> Removed?) -> Removed? {
        exclusively(watch, refused: nil) { deleteAdmitted(watch, remove) }
    }

    @inlinable
    @inline(__always)
    func deleteAdmitted<Removed>(_ watch: OperationWatch?, _ remove: (inout Table) -> Removed?) -> Removed? {
        if !admitsDelete() { trapRefusedDelete() }
        let removed = unsafe remove(&table.pointee)
        countDelete(hit: removed != nil, watch)
        return removed
    }

    /// Takes several things away in one critical section, counts each as ``delete(_:)`` does, and returns how many were
    /// there, nil when the map's guard refuses. Everybody else waits meanwhile: keep `items` few.
    @inline(__always)
    func deleteEach<Item>(
        _ watch: OperationWatch?, _ items: some Sequence<Item>, _ remove: (inout Table, Item) -> Bool
    ) -> Int? {
        exclusively(watch, refused: 0) {
            guard admitsDelete() else { return nil }
            var removed = 0
            for item in items {
                let hit = unsafe remove(&table.pointee, item)
                countDelete(hit: hit, watch)
                if hit { removed += 1 }
            }
            return removed
        }
    }

    /// Looks and changes in one critical section, and counts the effects that `body` reports.
    @inlinable
    @inline(__always)
    func modify<Result>(
        _ watch: OperationWatch? = nil, refused: @autoclosure () -> Result,
        _ body: (inout Table, inout ShardEffects) -> Result
    ) -> Result {
        exclusively(watch, refused: refused()) { modifyInside(watch, body) }
    }

    /// The same for somebody whom nobody watches.
    @inlinable
    @inline(__always)
    func modify<Result>(_ body: (inout Table, inout ShardEffects) -> Result) -> Result {
        shardGuard.exclusively { modifyInside(nil, body) }
    }

    @inlinable
    @inline(__always)
    func modifyInside<Result>(
        _ watch: OperationWatch?, _ body: (inout Table, inout ShardEffects) -> Result
    ) -> Result {
        var effects = ShardEffects()
        let result = unsafe body(&table.pointee, &effects)
        if let hit = effects.load { countLoad(hit: hit, watch) }
        switch effects.write {
        case .none: break
        case .store(let outcome): countStore(outcome, watch)
        case .delete(let hit): countDelete(hit: hit, watch)
        }
        return result
    }

    /// Looks without counting: for an iterator, whose look is no load, and for whoever looks ahead.
    @inlinable
    @inline(__always)
    func peek<Result>(
        _ watch: OperationWatch?, refused: @autoclosure () -> Result, _ body: (borrowing Table) -> Result
    ) -> Result {
        sharing(watch, as: .iterate, refused: refused()) { unsafe body(table.pointee) }
    }

    /// The same for somebody whom nobody watches.
    @inlinable
    @inline(__always)
    func peek<Result>(as access: LockAccess = .iterate, _ body: (borrowing Table) -> Result) -> Result {
        shardGuard.sharing(as: access) { unsafe body(table.pointee) }
    }

    // MARK: - The guard, and who watches

    /// Does `body` with nobody else inside; `refused` when the guard would not let a watched operation in.
    @inlinable
    @inline(__always)
    func exclusively<Result>(
        _ watch: OperationWatch?, refused: @autoclosure () -> Result, _ body: () -> Result
    ) -> Result {
        guard let watch else { return shardGuard.exclusively(body) }
        let result = shardGuard.exclusively(for: watch) {
            watch.isInside()
            let result = body()
            watch.isLeaving(isAlone: true)
            return result
        }
        guard let result else { return refused() }
        return result
    }

    /// Does `body` with no writer inside; `refused` when the guard would not let a watched operation in.
    @inlinable
    @inline(__always)
    func sharing<Result>(
        _ watch: OperationWatch?, as access: LockAccess, refused: @autoclosure () -> Result, _ body: () -> Result
    ) -> Result {
        guard let watch else { return shardGuard.sharing(as: access, body) }
        let result = shardGuard.sharing(as: access, for: watch) {
            watch.isInside()
            let result = body()
            watch.isLeaving(isAlone: !shardGuard.readersShare)
            return result
        }
        guard let result else { return refused() }
        return result
    }

    /// Entries now, without waiting for anybody.
    var count: UInt64 { writes.entries.value }

    /// Shows `body` the number of entries while nobody can change it.
    func holdingCount<Result>(_ body: (Int) -> Result) -> Result {
        shardGuard.sharing(as: .read) { unsafe body(table.pointee.levels.count) }
    }

    /// Runs `body` with nobody else inside; it may not use the map.
    func hold(_ body: () -> Void) { shardGuard.exclusively(body) }

    /// Counts an iteration that has reached this shard.
    @inlinable
    func countIteration() {
        shardGuard.sharing(as: .iterate) { bumpAsReader(rare.iterations) }
    }

    // MARK: - Counting, inside the guard

    @inlinable
    @inline(__always)
    func countLoad(hit: Bool, _ watch: OperationWatch?) {
        watch?.noteLoad(hit: hit)
        #if !MAPWATCH_NO_COUNTERS
        if hit { bumpAsReader(loads.hits) } else { bumpAsReader(loads.misses) }
        #endif
    }

    @inlinable
    @inline(__always)
    func countStore(_ outcome: StoreOutcome, _ watch: OperationWatch?) {
        watch?.noteStore(outcome)
        count(outcome)
        publish()
    }

    @inlinable
    @inline(__always)
    func count(_ outcome: StoreOutcome) {
        #if !MAPWATCH_NO_COUNTERS
        switch outcome {
        case .inserted: writes.inserts.addExclusively()
        case .updated: writes.updates.addExclusively()
        case .refused: rare.refusals.addExclusively()
        }
        #endif
    }

    @inlinable
    @inline(__always)
    func countDelete(hit: Bool, _ watch: OperationWatch?) {
        watch?.noteDelete(hit: hit)
        countDelete(hit: hit)
        guard hit else { return }
        #if !MAPWATCH_NO_COUNTERS
        if unsafe openCount.pointee.isAny { meetIterators() }
        #endif
        publish()
    }

    @inlinable
    @inline(__always)
    func countDelete(hit: Bool) {
        #if !MAPWATCH_NO_COUNTERS
        if hit { writes.deletes.addExclusively() } else { writes.deleteMisses.addExclusively() }
        #endif
    }

    /// Shows what the table has become; after each change of it.
    @inlinable
    @inline(__always)
    func publish() {
        #if !MAPWATCH_NO_COUNTERS
        unsafe writes.publish(table.pointee.levels)
        #endif
        if unsafe _slowPath(writes.state.value != table.pointee.state.word) { publishState() }
    }

    /// The same after a change of which nothing else is to be shown than how many entries there are, and their bytes;
    /// `levels` are the table's.
    @inline(__always)
    func publishEntries(_ levels: TableLevels) {
        #if !MAPWATCH_NO_COUNTERS
        writes.publishEntries(levels)
        #endif
    }

    @inline(never)
    @usableFromInline
    func publishState() {
        unsafe table.pointee.show(whereabouts)
        unsafe rare.capacity.set(UInt64(truncatingIfNeeded: table.pointee.levels.capacity))
        unsafe rare.growths.set(table.pointee.growth.count)
        unsafe rare.growthNanoseconds.set(table.pointee.growth.nanoseconds)
        unsafe writes.state.set(table.pointee.state.word)
    }

    @inlinable
    @inline(__always)
    func bumpAsReader(_ counter: borrowing Counter) {
        if shardGuard.readersShare { counter.add() } else { counter.addExclusively() }
    }
}

/// What a look and a change in one step came to; ``Shard/modify(_:)`` counts it.
@usableFromInline
struct ShardEffects {
    @usableFromInline
    enum Write {
        case none
        case store(StoreOutcome)
        case delete(hit: Bool)
    }

    /// Whether the look found something; nil when it does not count as a load.
    @usableFromInline var load: Bool?
    @usableFromInline var write = Write.none

    @inlinable
    init() {}
}

/// Owns one table.
///
/// A class, because Swift 6.3.1 optimises the `deinit` of a generic noncopyable struct away when an array holds it: a
/// dropped map would keep every entry.
@safe
private final class TableOwner<Table: ShardTable & ~Copyable>: @unchecked Sendable {
    // Safety: initialised for the life of this object; the shard says who may touch it.
    let table: UnsafeMutablePointer<Table>

    init(_ table: consuming Table) {
        // Aligned, so that what belongs together is in one cache line.
        let block = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<Table>.stride, alignment: 64)
        unsafe self.table = block.bindMemory(to: Table.self, capacity: 1)
        unsafe self.table.initialize(to: table)
    }

    deinit {
        unsafe table.pointee.releaseEntries()
        unsafe table.deinitialize(count: 1)
        unsafe table.deallocate()
    }
}
