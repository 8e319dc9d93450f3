import Instruments

/// A map of raw bytes: shards behind one guard each.
///
/// The top bits of the hash choose the shard. Counters live in the shards; the map itself has no state that an
/// operation writes, so two operations on two shards share nothing.
///
/// Not a map that anybody makes: of each strategy there is a class of its own, which says what `Guard` and `Table` are. So
/// the compiler knows it too where a map is used as an `any InstrumentedMap`, and no operation looks up a type at run time
/// (2.7 against 6.7 million operations a second).
// Safety: sendable though not final: every property is a constant and sendable, and no subclass has any.
@safe
class ByteMap<Guard: ShardGuard & ~Copyable, Table: ByteKeyedTable & ~Copyable, Records: RecordKeeping>:
    @unchecked Sendable
{
    let name: MapName
    let options: MapOptions
    private let shardHash: ShardHash
    private let incarnation: UInt64
    private let createdAt: Double
    /// A copy of the process's: a static is asked for at each use whether it is there yet.
    let hasher = KeyHasher.process
    let gate: OperationGate
    let iterators: OpenIterators
    // Safety: `iterators` keeps the cell. Here too, because a delete looks at it.
    let openCount: UnsafePointer<OpenCount>
    let shards: Shards<Guard, Table>

    required init(
        name: MapName, options: MapOptions, incarnation: UInt64, createdAt: Double, budget: MemoryBudget,
        clock: ExpiryClock, watch: MapWatch? = nil
    ) {
        self.name = name
        self.options = options
        shardHash = options.hash
        self.incarnation = incarnation
        self.createdAt = createdAt
        let gate = OperationGate(options.mode, watch: watch, for: options)
        let iterators = OpenIterators(options.deletionGuard)
        shards = Shards(count: options.shards) { index in
            let table = Table(budget: budget, clock: clock, ttlSeconds: options.ttlSeconds)
            return Shard(Guard(gate.waitRecord(shard: index)), table, iterators)
        }
        self.gate = gate
        self.iterators = iterators
        unsafe openCount = UnsafePointer(iterators.count)
    }
}

// In extensions, so that no class overrides any of it.
extension ByteMap where Guard: ~Copyable, Table: ~Copyable {
    func modify(
        _ key: Span<UInt8>, countingLoad: Bool, _ decide: (Span<UInt8>?) -> EntryChange
    ) -> ModifyOutcome {
        gate.pass(gate.detour(of: .modify), .modify, as: { $0.operation }, at: shard(of: key)) {
            modify(key, countingLoad, nil, decide)
        } watched: {
            modify(key, countingLoad, $0, decide)
        }
    }

    @inline(__always)
    private func modify(
        _ key: Span<UInt8>, _ countingLoad: Bool, _ watch: OperationWatch?, _ decide: (Span<UInt8>?) -> EntryChange
    ) -> ModifyOutcome {
        let hash = hash(key)
        let shard = aim(watch, at: key, hash)
        return shards[shard].modify(key, hash, countingLoad: countingLoad, watch, decide)
    }

    func deleteMatching(_ isIncluded: (Span<UInt8>) -> Bool) -> Int {
        let (deleted, isRefused) = sweep(isIncluded)
        precondition(!isRefused, "\(refusal(deleted))")
        return deleted
    }

    func deleteMatchingGuarded(_ isIncluded: (Span<UInt8>) -> Bool) throws(DeletionRefused) -> Int {
        let (deleted, isRefused) = sweep(isIncluded)
        if isRefused { throw refusal(deleted) }
        return deleted
    }

    private func refusal(_ deleted: Int) -> DeletionRefused {
        DeletionRefused(map: name, iterators: openIterators(now: MonotonicClock.nanoseconds()), deleted: deleted)
    }

    /// Deletes the matches in slices, until all are gone or the map's guard refuses.
    private func sweep(_ isIncluded: (Span<UInt8>) -> Bool) -> (deleted: Int, isRefused: Bool) {
        var deleted = 0
        for index in 0..<shards.count {
            let keys = gate.passUntimed(.iterate) { watch in
                watch?.aims(at: index)
                return shards[index].keys(watch, isIteration: false, where: isIncluded)
            }
            for start in stride(from: 0, to: keys.count, by: Shard<Guard, Table>.sliceOfDeletes) {
                let slice = keys[start..<min(start + Shard<Guard, Table>.sliceOfDeletes, keys.count)]
                let count = gate.passUntimed(.delete) { watch in
                    watch?.aims(at: index)
                    return shards[index].delete(slice, watch)
                }
                guard let count else { return (deleted, true) }
                deleted += count
            }
        }
        return (deleted, false)
    }

    func iterate(
        _ kind: IterationKind, prefix: [UInt8], maximumBytes: Int
    ) throws(IterationError) -> any MapIterator {
        switch kind {
        case .live: LiveIterator(map: self, prefix: prefix)
        case .snapshot: SnapshotIterator(entries: try copyEntries(prefix: prefix, maximumBytes: maximumBytes))
        }
    }

    func maintain(budget: Int) -> Int {
        var moved = 0
        for index in 0..<shards.count where moved < budget {
            if index + OperationGate.shardsAhead < shards.count { shards[index + OperationGate.shardsAhead].prefetch() }
            moved += shards[index].maintain(budget: budget - moved, gate.watch, at: index)
        }
        return moved
    }

    func snapshot(now: UInt64) -> MapSnapshot {
        let (samples, lockWaits) = gate.sample(shards, now: now)
        let iterators = iterators.sample(now: now)
        return MapSnapshot(
            incarnation: incarnation, name: name, options: options, createdAt: createdAt, mode: mode,
            shards: samples, lockWaits: lockWaits, timings: gate.timings,
            conflicts: gate.watch?.checks?.sample,
            openIterators: iterators.open, iteratorRestingNanoseconds: iterators.restingNanoseconds,
            abortedIterators: self.iterators.aborted)
    }

    func glance(now: UInt64, since before: MapGlance?) -> MapGlance {
        let iterators = iterators.sample(now: now)
        let before = before?.incarnation == incarnation ? before : nil
        let rows = gate.glance(at: shards, since: before)
        var glance = MapGlance(
            incarnation: incarnation, name: name, options: options, mode: mode, shards: rows.rows, sums: rows.sums,
            openIterators: iterators.open, iteratorRestingNanoseconds: iterators.restingNanoseconds)
        glance.unchangedSince = rows.areUnchanged ? before?.unchangedSince : now
        return glance
    }

    var mode: MapMode { gate.mode }

    func setMode(_ mode: MapMode) { gate.set(mode) }

    var count: Int {
        var count: UInt64 = 0
        for index in 0..<shards.count { count &+= shards[index].count }
        return Int(count)
    }

    func countExact() -> Int { gate.passUnwatched(as: .read) { countHolding(from: 0) } }

    /// Entries in the shards from `index` on, every one of which is held until all are counted. In order, so that two
    /// counts cannot wait for each other.
    private func countHolding(from index: Int) -> Int {
        guard index < shards.count else { return 0 }
        return shards[index].holdingCount { $0 + countHolding(from: index + 1) }
    }

    func openIterators(now: UInt64) -> [OpenIteratorState] { iterators.states(now: now) }

    func forEachLocked(_ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        gate.passUnwatched(as: .iterate) { walkHolding(from: 0, body) }
    }

    /// Walks all shards once those from `index` on are held too; in order, as ``countHolding(from:)``.
    private func walkHolding(from index: Int, _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        guard index < shards.count else {
            for shard in 0..<shards.count { shards[shard].forEachHeld(body) }
            return
        }
        shards[index].holdingForIteration { walkHolding(from: index + 1, body) }
    }

    func shard(of key: Span<UInt8>) -> Int { hash(key).shard(of: shards.count) }

    func hold(shard: Int, _ body: () -> Void) { shards[shard].hold(body) }

    @inline(__always)
    func shard(of hash: KeyHash) -> Int { hash.shard(of: shards.count) }

    /// The shard of a key with this hash, which a watch is told of.
    @inline(__always)
    func aim(_ watch: OperationWatch?, at key: Span<UInt8>, _ hash: KeyHash) -> Int {
        let shard = hash.shard(of: shards.count)
        watch?.aims(at: shard, key)
        return shard
    }

    /// Lends the shard that `hash` chooses.
    @inline(__always)
    func withShard<R>(of hash: KeyHash, _ body: (borrowing Shard<Guard, Table>) -> R) -> R {
        body(shards[hash.shard(of: shards.count)])
    }

    /// The hash of a key under the map's choice of `hash`.
    @inline(__always)
    func hash(_ key: Span<UInt8>) -> KeyHash { KeyHash(key, hasher, shardBy: shardHash) }

    // MARK: - For the iterators

    /// The value of a key that an iterator has listed; counts nothing.
    func peek(_ key: [UInt8]) -> [UInt8]? {
        gate.passUntimed(.iterate, isReported: false) { watch in
            let bytes = key.span
            let hash = hash(bytes)
            let shard = aim(watch, at: bytes, hash)
            return shards[shard].peek(bytes, hash, watch)
        }
    }

    /// Counts an iteration on one shard and copies the keys to visit there.
    func enterShard(_ index: Int, prefix: [UInt8]) -> [[UInt8]] {
        gate.passUntimed(.iterate) { watch in
            watch?.aims(at: index)
            return shards[index].keys(watch, isIteration: true) { $0.starts(with: prefix) }
        }
    }

    private func copyEntries(prefix: [UInt8], maximumBytes: Int) throws(IterationError) -> [MapEntry] {
        var entries: [MapEntry] = []
        var bytes = 0
        for index in 0..<shards.count {
            let copied = gate.passUntimed(.iterate) { watch in
                watch?.aims(at: index)
                return shards[index].entries(within: maximumBytes - bytes, watch) { $0.starts(with: prefix) }
            }
            guard let copied else { throw .snapshotTooLarge(map: name, limit: maximumBytes) }
            bytes += copied.reduce(0) { $0 + $1.size }
            entries += copied
        }
        return entries
    }
}
