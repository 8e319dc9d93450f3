/// A map of raw bytes, whatever its strategy: what the host creates and the data API serves.
///
/// Concurrency: all methods may be called from any thread. Keys and values are raw bytes; two keys are one only when all
/// their bytes are equal. To store a key of more than 65,535 bytes or a value of 4 GiB and more is a programmer's mistake
/// and traps.
public protocol InstrumentedMap: HostedMap {
    /// A copy of the value of `key`. Linearizable; the shard's lock, with optimistic reads as a rule none; counts a load or
    /// a load miss.
    func load(_ key: Span<UInt8>) -> [UInt8]?

    /// Copies the value of `key` to the beginning of `output` and returns its length; nil when the key is absent. A value
    /// that is longer than `output` is not copied: its length says how much room it needs. What stands behind the value
    /// is unspecified: a map with optimistic reads may have begun to copy another one there. Linearizable; the shard's
    /// lock; counts a load or a load miss. Cost: no allocation, which makes it nearly twice as fast as ``load(_:)``.
    func load(_ key: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int?

    /// Sets the value of `key`. Linearizable; the shard's lock; counts an insert, an update or, over a bound on memory, a
    /// refusal.
    @discardableResult
    func store(_ key: Span<UInt8>, _ value: Span<UInt8>) -> StoreOutcome

    /// The same for an entry that goes by itself after `ttlSeconds` (``MapOptions/ttlRange``; anything else is a
    /// programmer's mistake and traps), whatever the map's `ttlSeconds` say. It is gone for everybody once they are over,
    /// by a tenth of a second at the most; maintenance gives its memory back, and counts a delete.
    @discardableResult
    func store(_ key: Span<UInt8>, _ value: Span<UInt8>, ttlSeconds: Int) -> StoreOutcome

    /// Removes `key`; false when it was absent. Linearizable; the shard's lock; counts a delete or a delete miss. Traps when
    /// the map's guard refuses it; see `deleteGuarded(_:)`.
    @discardableResult
    func delete(_ key: Span<UInt8>) -> Bool

    /// Shows `decide` the value of `key`, nil when it is absent, and does what it says, all in one step. Linearizable;
    /// the shard's lock, exclusively, `decide` included. Counts what it did: an insert or an update, a delete or a
    /// delete miss, nothing for `.keep`; with `countingLoad` also a load or a load miss.
    ///
    /// `decide` runs once, while everybody else who wants the shard waits: keep it short, and call no map from it: the
    /// lock is not recursive, so a call to this one may never return.
    @discardableResult
    func modify(
        _ key: Span<UInt8>, countingLoad: Bool, _ decide: (Span<UInt8>?) -> EntryChange
    ) -> ModifyOutcome

    /// Does the operations of `batch` in their order and notes in it what each came to. Each is linearizable by itself and
    /// counts as if it stood alone; together they are no transaction. Takes the shard's lock three times an operation, two
    /// of them to ask for memory ahead, so that a batch waits for memory once and not once an operation.
    func perform(_ batch: inout MapBatch)

    /// Removes the entries whose keys match, and returns how many. Weak: the keys of one shard are collected at one
    /// moment, then deleted in slices of 64 with the lock released between, so nobody waits for the sweep (row M10); a
    /// key that somebody else deletes meanwhile counts as a delete miss.
    func deleteMatching(_ isIncluded: (Span<UInt8>) -> Bool) -> Int

    /// The shard of `key`, the number in `shard_id`. Takes no lock and counts nothing.
    func shard(of key: Span<UInt8>) -> Int

    /// Runs `body` while nobody else is inside `shard`: everybody who comes waits, as in a shard that has stalled. For
    /// provoked accidents and tests. Counts as one acquisition of the shard's lock and as no operation, and leaves the
    /// map's one lock of mode `global` alone. `body` must not call this map.
    func hold(shard: Int, _ body: () -> Void)

    /// ``deleteMatching(_:)`` on a map whose guard may refuse. What had been deleted before an iterator was opened stays
    /// deleted; the error says how much.
    func deleteMatchingGuarded(_ isIncluded: (Span<UInt8>) -> Bool) throws(DeletionRefused) -> Int

    /// Shows `body` every entry of one moment of the whole map. Linearizable; all shards' locks at once, taken in order
    /// and shared where the strategy shares them: every writer waits meanwhile, and with `sharded` every reader under the
    /// lock too; with `checked` everybody, and it is no party of a conflict. Counts an iteration on each shard. Cost: a
    /// walk over all entries, so some milliseconds for 100,000 of them, in which the map stands still: for small maps, or
    /// at a time when nobody minds. Nothing is copied.
    ///
    /// `body` runs under the locks: keep it short, and call no map from it.
    func forEachLocked(_ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Void)

    /// Starts to iterate. A `snapshot` copies every shard here and now, each at one moment, none together.
    func iterate(_ kind: IterationKind, prefix: [UInt8], maximumBytes: Int) throws(IterationError) -> any MapIterator
}

extension InstrumentedMap {
    /// Does `body`, and throws the conflict for which an operation in it was refused: of maps on `checked` with policy
    /// `reject`, which refuse here alone, since only here nobody can overlook it. What `body` returned is then thrown away,
    /// and after the refused operation, which has touched nothing, no further one of it was done; what it had done before
    /// stays. Never throws on other maps.
    ///
    ///     let stock = try carts.refusingConflicts { $0.load(key) }
    ///
    /// For operations of this thread, on this map and others. Cost: one small allocation where the map is `checked`.
    public func refusingConflicts<R>(_ body: (any InstrumentedMap) -> R) throws(MapConflict) -> R {
        guard options.strategy == .checked else { return body(self) }
        return try RefusalScope.run { body(self) }
    }

    /// ``perform(_:)`` in which a conflict of one operation refuses that one: its outcome is `.conflict`, the others are
    /// done.
    public func performRefusingConflicts(_ batch: inout MapBatch) {
        batch.refusesConflicts = true
        defer { batch.refusesConflicts = false }
        // Each operation takes its conflict out of the scope, so none is left to be thrown.
        _ = try? RefusalScope.run { perform(&batch) }
    }

    /// ``iterate(_:prefix:maximumBytes:)`` whose first step throws ``IterationError/conflict(_:)`` when it meets a write;
    /// later ones are counted and wait, for a walk cannot be half refused.
    public func iterateRefusingConflicts(
        _ kind: IterationKind, prefix: [UInt8], maximumBytes: Int
    ) throws(IterationError) -> any MapIterator {
        let begun: Result<any MapIterator, IterationError>
        do {
            begun = try refusingConflicts { map in
                do throws(IterationError) {
                    return .success(try map.iterate(kind, prefix: prefix, maximumBytes: maximumBytes))
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            throw .conflict(error)
        }
        return try begun.get()
    }
}

/// What a store did.
public enum StoreOutcome: Sendable, Equatable {
    case inserted
    case updated
    /// There was no memory for it (`max_bytes` of the map or of the process): nothing has changed.
    case refused
}

/// One key with its value, copied out of a map.
public struct MapEntry: Sendable, Equatable {
    public let key: [UInt8]
    public let value: [UInt8]

    public init(key: [UInt8], value: [UInt8]) {
        self.key = key
        self.value = value
    }

    /// Bytes of key and value.
    var size: Int { key.count + value.count }
}

extension InstrumentedMap {
    /// ``load(_:)`` for a key in an array.
    public func load(_ key: [UInt8]) -> [UInt8]? { load(key.span) }

    /// ``store(_:_:)`` for key and value in arrays.
    @discardableResult
    public func store(_ key: [UInt8], _ value: [UInt8]) -> StoreOutcome { store(key.span, value.span) }

    /// ``store(_:_:ttlSeconds:)`` for key and value in arrays.
    @discardableResult
    public func store(_ key: [UInt8], _ value: [UInt8], ttlSeconds: Int) -> StoreOutcome {
        store(key.span, value.span, ttlSeconds: ttlSeconds)
    }

    /// ``delete(_:)`` for a key in an array.
    @discardableResult
    public func delete(_ key: [UInt8]) -> Bool { delete(key.span) }

    /// ``shard(of:)`` for a key in an array.
    public func shard(of key: [UInt8]) -> Int { shard(of: key.span) }

    /// Removes the entries whose keys begin with `prefix`; see ``deleteMatching(_:)``.
    public func deleteMatching(prefix: [UInt8]) -> Int {
        deleteMatching { $0.starts(with: prefix) }
    }
}
