import Glibc
import Instruments

// A map of Swift values in shards: the byte map's shards, counters, locks and index, with keys and values in the slots.
//
//     let orders = ShardedMap<String, Order>("orders", shards: 256)
//
// What is hot is `@inlinable`, so that it is compiled for the key and value of whoever uses it; what does not depend on
// them is called. Nothing that a change displaces is released under a lock: its `deinit` may use the map.

/// A map from keys to values that many threads use at once and that counts what is done to it, shard by shard.
///
/// Concurrency: all methods may be called from any thread. An operation on one key is linearizable; operations on several
/// keys are not atomic together. Locks are not recursive: a key's `==` and the closures that run under a lock (each method
/// says so) must call no map.
///
/// Costs: one shard's lock and one probe an operation. A growing or shrinking shard moves at most 64 slots an operation,
/// unless keys agree in 32 bits of their hash: a key type whose `hash(into:)` is bad makes them do so. ``maintain(budget:)``
/// gives memory back after mass deletes; ``MapHost`` calls it for registered maps.
///
/// Hashes are keyed per process. Texts are hashed and compared as Swift compares them, by canonical equivalence; a text
/// with more than 128 combining marks in a row would take quadratic time for that, so no map stores one, and every map
/// says that it is absent.
///
/// Keys and values lie in the table itself and are moved as it changes: put what is larger than some 100 bytes in a class or
/// an array. An entry counts in `mem_map_size_bytes` with its slot (key, value and 8 bytes) and with what `heapBytes` says
/// that its key and value hold elsewhere; in `map_allocated_bytes` stands what the tables hold, and that.
public final class ShardedMap<Key: Hashable & Sendable, Value: Sendable>: HostedMap {
    public let name: MapName
    public let options: MapOptions
    private let incarnation = MapIncarnation.next()
    private let createdAt: Double
    let iterators: OpenIterators
    @usableFromInline let hasher = KeyHasher.process
    @usableFromInline let gate: OperationGate
    @usableFromInline let heapBytes: (@Sendable (Key, Value) -> Int)?
    @usableFromInline let shards: Shards<ChosenGuard, TypedTable<Key, Value>>

    /// A map under a name and with options that are known when it runs. `heapBytes` says how many bytes a key and its value
    /// hold outside of the map, 0 without it; it is asked once per store, before the lock is taken (by an update under it),
    /// and its answers count in the figures and in `max_bytes`, up to 4 GiB an entry.
    public init(
        _ name: MapName, _ options: MapOptions, heapBytes: (@Sendable (Key, Value) -> Int)? = nil
    ) throws(ShardedMapError) {
        guard unsafe getenv("SWIFT_DETERMINISTIC_HASHING") == nil else { throw .deterministicHashing }
        let alignment = max(MemoryLayout<Key>.alignment, MemoryLayout<Value>.alignment)
        guard alignment <= ShardedMapError.largestAlignment else { throw .alignment(alignment) }
        guard options.ttlSeconds == nil else { throw .expiry }
        guard options.strategy != .checked else { throw .checked }
        guard options.reads == .locked else { throw .optimisticReads }
        guard options.hash == .keyed else { throw .hash(options.hash) }
        guard options.deletionGuard != .deny else { throw .guardDeny }
        self.name = name
        self.options = options
        self.heapBytes = heapBytes
        let iterators = OpenIterators(options.deletionGuard)
        let gate = OperationGate(options.mode)
        createdAt = WallClock.secondsSince1970()
        let budget = MemoryBudget(limit: options.maximumBytes ?? .max)
        shards = Shards(count: options.shards) { index in
            let shardGuard = ChosenGuard(options.strategy, gate.waitRecord(shard: index))
            return Shard(shardGuard, TypedTable(budget: budget), iterators)
        }
        self.gate = gate
        self.iterators = iterators
    }

    /// A map under a name that stands in the source. A name or an option that no map can have is a programmer's mistake and
    /// traps; see ``init(_:_:heapBytes:)`` for names that are known when the program runs, and for `heapBytes`.
    public convenience init(
        _ name: StaticString, shards: Int? = nil, strategy: MapStrategy = .sharded, maximumBytes: Int? = nil,
        heapBytes: (@Sendable (Key, Value) -> Int)? = nil
    ) {
        do {
            try self.init(
                MapName("\(name)"), MapOptions(strategy: strategy, shards: shards, maximumBytes: maximumBytes),
                heapBytes: heapBytes)
        } catch {
            fatalError("ShardedMap: \(error)")
        }
    }

    // MARK: - One key

    /// The value of `key`. Linearizable; the shard's lock, shared where the strategy shares it; counts a load or a load
    /// miss. Cost: a copy as Swift copies, so one atomic add for an array or an object.
    @inlinable
    public func load(_ key: Key) -> Value? {
        let keyHash = TypedKeyHash(key, hasher)
        guard keyHash.isUsable else { return refusedLoad() }
        let isClear = gate.isClear(for: .load)
        return isClear ? load(key, keyHash.hash) : loadByDetour(key, keyHash.hash)
    }

    // As in `ByteMap`: the straight way is one piece of code, and detours are functions of their own.

    @inlinable
    @inline(__always)
    func load(_ key: Key, _ hash: KeyHash) -> Value? {
        shards[hash.shard(of: shards.count)].load { $0.find(key, hash.place) }
    }

    @inlinable
    @inline(never)
    func loadByDetour(_ key: Key, _ hash: KeyHash) -> Value? {
        gate.pass(gate.detourNow(of: .load), .load, as: { _ in .load }, at: hash.shard(of: shards.count)) {
            load(key, hash)
        }
    }

    /// ``load(_:)``. There is no setter: what reads and writes in one expression would not be one step; see
    /// ``store(_:_:)`` and ``update(_:_:)``.
    @inlinable
    public subscript(key: Key) -> Value? { load(key) }

    /// Whether `key` is there. Linearizable; locks and counts as ``load(_:)``.
    @inlinable
    public func contains(_ key: Key) -> Bool {
        let keyHash = TypedKeyHash(key, hasher)
        guard keyHash.isUsable else { return refusedLoad() != nil }
        return gate.pass(.load, at: keyHash.hash.shard(of: shards.count)) {
            shards[keyHash.hash.shard(of: shards.count)].load {
                $0.position(of: key, keyHash.hash.place) != nil ? () : nil
            } != nil
        }
    }

    /// Sets the value of `key`. Linearizable; the shard's lock, exclusively; counts an insert, an update or, over
    /// `max_bytes` and for a key that no map takes, a refusal, which changes nothing.
    @inlinable
    @discardableResult
    public func store(_ key: Key, _ value: Value) -> StoreOutcome {
        let keyHash = TypedKeyHash(key, hasher)
        guard keyHash.isUsable else { return refusedStore() }
        let bytes = heapBytes(of: key, value)
        var displaced: Value?
        let isClear = gate.isClear(for: .update)
        let outcome =
            isClear
            ? store(key, keyHash.hash, value, bytes, &displaced)
            : storeByDetour(key, keyHash.hash, value, bytes, &displaced)
        // Released with the lock open: whatever its `deinit` does, it may use the map.
        withExtendedLifetime(displaced) {}
        return outcome
    }

    @inlinable
    @inline(__always)
    func store(
        _ key: Key, _ hash: KeyHash, _ value: Value, _ heapBytes: Int, _ displaced: inout Value?
    ) -> StoreOutcome {
        shards[hash.shard(of: shards.count)].store {
            $0.store(key, hash.place, value, heapBytes: heapBytes, displaced: &displaced)
        }
    }

    @inlinable
    @inline(never)
    func storeByDetour(
        _ key: Key, _ hash: KeyHash, _ value: Value, _ heapBytes: Int, _ displaced: inout Value?
    ) -> StoreOutcome {
        gate.pass(gate.detourNow(of: .update), .update, as: { _ in .store }, at: hash.shard(of: shards.count)) {
            store(key, hash, value, heapBytes, &displaced)
        }
    }

    /// Removes `key` and returns its value, nil when it was absent. Linearizable; the shard's lock, exclusively; counts a
    /// delete or a delete miss.
    @inlinable
    @discardableResult
    public func delete(_ key: Key) -> Value? {
        let keyHash = TypedKeyHash(key, hasher)
        guard keyHash.isUsable else { return refusedDelete() }
        let isClear = gate.isClear(for: .delete)
        let removed = isClear ? delete(key, keyHash.hash) : deleteByDetour(key, keyHash.hash)
        return removed?.value
    }

    @inlinable
    @inline(__always)
    func delete(_ key: Key, _ hash: KeyHash) -> EntryArray<Key, Value>.Entry? {
        shards[hash.shard(of: shards.count)].delete { $0.remove(key, hash.place) }
    }

    @inlinable
    @inline(never)
    func deleteByDetour(_ key: Key, _ hash: KeyHash) -> EntryArray<Key, Value>.Entry? {
        gate.pass(gate.detourNow(of: .delete), .delete, as: { _ in .delete }, at: hash.shard(of: shards.count)) {
            delete(key, hash)
        }
    }

    // MARK: - The whole map

    /// Entries, from the shards' counters. Weak: the shards are read one after another, relaxed, without a lock.
    public var count: Int {
        var count: UInt64 = 0
        for index in 0..<shards.count { count &+= shards[index].count }
        return Int(count)
    }

    public func countExact() -> Int { gate.passUnwatched(as: .read) { countHolding(from: 0) } }

    /// Entries in the shards from `index` on, every one of which is held until all are counted. In order, so that two
    /// counts cannot wait for each other.
    private func countHolding(from index: Int) -> Int {
        guard index < shards.count else { return 0 }
        return shards[index].holdingCount { $0 + countHolding(from: index + 1) }
    }

    public func openIterators(now: UInt64) -> [OpenIteratorState] { iterators.states(now: now) }

    public var mode: MapMode { gate.mode }

    public func setMode(_ mode: MapMode) { gate.set(mode) }

    public func maintain(budget: Int) -> Int {
        var moved = 0
        for index in 0..<shards.count where moved < budget {
            moved += shards[index].maintain(budget: budget - moved, nil, at: index)
        }
        return moved
    }

    public func snapshot(now: UInt64) -> MapSnapshot {
        let (samples, lockWaits) = gate.sample(shards, now: now)
        let iterators = iterators.sample(now: now)
        return MapSnapshot(
            incarnation: incarnation, name: name, options: options, createdAt: createdAt, mode: mode,
            shards: samples, lockWaits: lockWaits, timings: gate.timings,
            openIterators: iterators.open, iteratorRestingNanoseconds: iterators.restingNanoseconds,
            abortedIterators: self.iterators.aborted)
    }

    public func glance(now: UInt64, since before: MapGlance?) -> MapGlance {
        let iterators = iterators.sample(now: now)
        let before = before?.incarnation == incarnation ? before : nil
        let rows = gate.glance(at: shards, since: before)
        var glance = MapGlance(
            incarnation: incarnation, name: name, options: options, mode: mode, shards: rows.rows, sums: rows.sums,
            openIterators: iterators.open, iteratorRestingNanoseconds: iterators.restingNanoseconds)
        glance.unchangedSince = rows.areUnchanged ? before?.unchangedSince : now
        return glance
    }

    // MARK: - Keys that no map takes

    // They belong to no shard; the first one counts them, so that no operation is lost from the figures.

    @usableFromInline
    func refusedLoad() -> Value? { shards[0].load { _ in nil } }

    @usableFromInline
    func refusedStore() -> StoreOutcome { shards[0].store { _ in .refused } }

    @usableFromInline
    func refusedDelete() -> Value? { shards[0].delete { _ in nil } }

    @inlinable
    @inline(__always)
    func heapBytes(of key: Key, _ value: Value) -> Int {
        if let heapBytes { max(0, heapBytes(key, value)) } else { 0 }
    }
}

/// Why a typed map could not be made.
public enum ShardedMapError: Error, Equatable, CustomStringConvertible {
    case deterministicHashing
    case alignment(Int)
    case expiry
    case optimisticReads
    case checked
    case hash(ShardHash)
    case guardDeny

    /// Tables lie in memory that the allocator aligns no further.
    static let largestAlignment = 16

    public var description: String {
        switch self {
        case .deterministicHashing:
            "SWIFT_DETERMINISTIC_HASHING is set, so strangers could choose keys that collide; unset it"
        case .alignment(let bytes):
            "keys and values are aligned to at most \(ShardedMapError.largestAlignment) bytes, not \(bytes); put them in a class"
        case .optimisticReads: "reads \"optimistic\" is for maps of bytes; typed maps read under the lock"
        case .checked: "strategy \"checked\" is for maps of bytes; choose sharded or rwlock"
        case .hash(let hash): "hash \"\(hash.rawValue)\" is for maps of bytes; typed maps hash keyed"
        case .guardDeny: "guard \"deny\" is for maps of bytes; a typed map takes \"allow\" or \"stop_iteration\""
        case .expiry: "ttl_seconds is for maps of bytes; entries of a typed map do not expire"
        }
    }
}

/// The time of day, for the date of a map that no host has made.
private enum WallClock {
    static func secondsSince1970() -> Double {
        var time = timespec()
        // Safety: the call only writes the local `time`.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
