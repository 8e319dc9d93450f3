import Instruments

// The byte map's two walks, for Swift values: see `IterationKind` and `LiveIterator`.

extension ShardedMap {
    /// All entries, one after another. A `snapshot` copies every shard here and now, each at one moment, none together;
    /// `live` copies the keys of one shard at a time and never omits a key that is present throughout, nor shows one twice.
    /// Both hold the shard's lock, shared where the strategy shares it, for one walk of the shard. Counts an iteration on
    /// each shard that is reached; no loads.
    public func entries(_ kind: IterationKind = .live) -> ShardedMapEntries<Key, Value> {
        ShardedMapEntries(self, kind)
    }
}

/// A walk over a typed map. Used by one caller at a time; between two entries no lock is held.
public struct ShardedMapEntries<Key: Hashable & Sendable, Value: Sendable>: Sequence, IteratorProtocol {
    private let map: ShardedMap<Key, Value>
    /// What is still to be shown, the next last: entries of a snapshot, or a live walk's keys in the shard it is in.
    private var entries: [(key: Key, value: Value)] = []
    private var keys: [Key] = []
    private var nextShard = 0
    private let lease: OpenIterator?

    init(_ map: ShardedMap<Key, Value>, _ kind: IterationKind) {
        self.map = map
        lease = kind == .live ? map.iterators.open() : nil
        guard kind == .snapshot else { return }
        for index in 0..<map.shards.count {
            map.shards[index].countIteration()
            entries += map.gate.passUnwatched(as: .iterate) { map.shards[index].entries() }
        }
        nextShard = map.shards.count
    }

    /// Why a live walk ended before its last entry; nil while it goes on and once it is complete.
    public var stop: IterationStop? { lease?.stop }

    /// The next entry; nil at the end, and once the walk was stopped. Of a live walk: with its value as it is now, or the next one when it has gone.
    public mutating func next() -> (key: Key, value: Value)? {
        if let entry = entries.popLast() { return entry }
        while stop == nil {
            while stop == nil, let key = keys.popLast() {
                if let value = map.peek(key) { return (key, value) }
            }
            guard nextShard < map.shards.count else {
                lease?.close()
                return nil
            }
            lease?.move()
            map.shards[nextShard].countIteration()
            keys = map.gate.passUnwatched(as: .iterate) { map.shards[nextShard].keys { (_: Key, _: Value) in true } }
            nextShard += 1
        }
        return nil
    }
}

extension ShardedMap {
    /// The value of a key that an iterator has listed; counts nothing.
    fileprivate func peek(_ key: Key) -> Value? {
        let hash = TypedKeyHash(key, hasher).hash
        return gate.passUnwatched(as: .iterate) {
            shards[hash.shard(of: shards.count)].peek { $0.find(key, hash.place) }
        }
    }
}

extension Shard where Guard: ~Copyable, Table: ~Copyable {
    /// The keys of the entries that `isIncluded` wants, copied at one moment.
    func keys<Key: Hashable, Value>(where isIncluded: (Key, Value) -> Bool) -> [Key]
    where Table == TypedTable<Key, Value> {
        var keys: [Key] = []
        peek { $0.forEach { key, value in if isIncluded(key, value) { keys.append(key) } } }
        return keys
    }

    /// All entries, copied at one moment.
    func entries<Key: Hashable, Value>() -> [(key: Key, value: Value)] where Table == TypedTable<Key, Value> {
        var entries: [(key: Key, value: Value)] = []
        peek { table in
            entries.reserveCapacity(table.levels.count)
            table.forEach { entries.append((key: $0, value: $1)) }
        }
        return entries
    }
}
