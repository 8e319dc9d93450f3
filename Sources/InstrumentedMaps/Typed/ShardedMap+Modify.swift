import Instruments

// Reading and writing in one step, so that nobody writes get-then-put.

extension ShardedMap {
    /// Hands `body` the value of `key` in place, nil when it is absent, to set, change or remove (nil). Linearizable; the
    /// shard's lock, exclusively, `body` included. Counts an insert, an update of whatever is left there, or a delete;
    /// nothing when the key was absent and stays so. No load is counted. Over `max_bytes` nothing has changed: `.stored(
    /// .refused)`, for which a map with `max_bytes` and `heapBytes` keeps a copy of the value while `body` runs.
    ///
    /// `body` runs once, under the lock, and what it lets go of is released there: keep it short, and call no map from it.
    /// When it throws, what it has done to the value so far stays.
    @inlinable
    @discardableResult
    public func update<Failure: Error>(
        _ key: Key, _ body: (inout Value?) throws(Failure) -> Void
    ) throws(Failure) -> ModifyOutcome {
        let keyHash = TypedKeyHash(key, hasher)
        guard keyHash.isUsable else {
            _ = refusedStore()
            return .stored(.refused)
        }
        var released: (Key?, Value?)
        var failure: Failure?
        let outcome = gate.pass(
            .modify, as: { (outcome: ModifyOutcome) in outcome.operation }, at: keyHash.hash.shard(of: shards.count)
        ) {
            shards[keyHash.hash.shard(of: shards.count)].modify { table, effects in
                guard let found = table.position(of: key, keyHash.hash.place) else {
                    var value: Value?
                    do throws(Failure) { try body(&value) } catch { failure = error }
                    guard let value else { return ModifyOutcome.kept }
                    let bytes = heapBytes(of: key, value)
                    let isStored = table.insert(key, keyHash.hash.place, value, heapBytes: bytes)
                    effects.write = .store(isStored ? .inserted : .refused)
                    if !isStored { released.1 = value }
                    return .stored(isStored ? .inserted : .refused)
                }
                let entry = unsafe table.entry(found)
                let before = canRefuseUpdates ? unsafe entry.pointee.value : nil
                var value = unsafe Optional(entry.takeValue())
                do throws(Failure) { try body(&value) } catch { failure = error }
                guard let after = value else {
                    released.0 = unsafe entry.takeKey()
                    table.didMoveOut(found, heapBytes: unsafe Int(truncatingIfNeeded: entry.pointee.head & 0xffff_ffff))
                    effects.write = .delete(hit: true)
                    return .removed
                }
                if table.account(heapBytes(of: key, after), for: found) {
                    unsafe entry.putValue(after)
                    effects.write = .store(.updated)
                    return .stored(.updated)
                }
                unsafe entry.putValue(before ?? after)
                released.1 = after
                effects.write = .store(.refused)
                return .stored(.refused)
            }
        }
        // With the lock open: whatever a `deinit` does, it may use the map.
        withExtendedLifetime(released) {}
        if let failure { throw failure }
        return outcome
    }

    /// Sets the value of `key` when it is absent, and says whether it did. Linearizable; the shard's lock, exclusively;
    /// counts an insert, or nothing when the key is there. False too, and a refusal counted, without memory for it.
    @inlinable
    @discardableResult
    public func insertIfAbsent(_ key: Key, _ value: Value) -> Bool {
        let keyHash = TypedKeyHash(key, hasher)
        guard keyHash.isUsable else { return refusedStore() == .inserted }
        let bytes = heapBytes(of: key, value)
        return gate.pass(.store, at: keyHash.hash.shard(of: shards.count)) {
            shards[keyHash.hash.shard(of: shards.count)].modify { table, effects in
                if table.position(of: key, keyHash.hash.place) != nil { return false }
                let isStored = table.insert(key, keyHash.hash.place, value, heapBytes: bytes)
                effects.write = .store(isStored ? .inserted : .refused)
                return isStored
            }
        }
    }

    /// The value of `key`, which is set to what `value` returns when it is absent. Linearizable; the shard's lock,
    /// exclusively; counts a load, or a load miss and an insert; without memory for it a refusal, and the value is returned
    /// but not kept.
    ///
    /// `value` runs under the lock, and only when the key is absent, so that of many callers one makes the value: keep it
    /// short, and call no map from it.
    @inlinable
    public func getOrInsert<Failure: Error>(
        _ key: Key, _ value: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let keyHash = TypedKeyHash(key, hasher)
        guard keyHash.isUsable else {
            _ = refusedLoad()
            _ = refusedStore()
            return try value()
        }
        let result = gate.pass(.store, at: keyHash.hash.shard(of: shards.count)) {
            shards[keyHash.hash.shard(of: shards.count)].modify {
                table, effects -> Result<Value, Failure> in
                if let there = table.find(key, keyHash.hash.place) {
                    effects.load = true
                    return .success(there)
                }
                effects.load = false
                do throws(Failure) {
                    let made = try value()
                    let isStored = table.insert(key, keyHash.hash.place, made, heapBytes: heapBytes(of: key, made))
                    effects.write = .store(isStored ? .inserted : .refused)
                    return .success(made)
                } catch {
                    return .failure(error)
                }
            }
        }
        return try result.get()
    }

    /// Removes `key` when `condition` holds for its value, and returns the value; nil when it stays or was absent.
    /// Linearizable; the shard's lock, exclusively; counts a delete, a delete miss when the key is absent, and nothing when
    /// the condition does not hold.
    ///
    /// `condition` runs at most once, under the lock: keep it short, and call no map from it.
    @inlinable
    @discardableResult
    public func remove<Failure: Error>(
        _ key: Key, if condition: (Value) throws(Failure) -> Bool
    ) throws(Failure) -> Value? {
        let keyHash = TypedKeyHash(key, hasher)
        guard keyHash.isUsable else { return refusedDelete() }
        let result = gate.pass(.delete, at: keyHash.hash.shard(of: shards.count)) {
            shards[keyHash.hash.shard(of: shards.count)].modify {
                table, effects -> Result<EntryArray<Key, Value>.Entry?, Failure> in
                guard let found = table.position(of: key, keyHash.hash.place) else {
                    effects.write = .delete(hit: false)
                    return .success(nil)
                }
                do throws(Failure) {
                    guard try condition(unsafe table.entry(found).pointee.value) else {
                        return .success(nil)
                    }
                } catch {
                    return .failure(error)
                }
                effects.write = .delete(hit: true)
                return .success(table.remove(at: found))
            }
        }
        return try result.get()?.value
    }

    /// Removes the entries that match, and returns how many. Weak: the matching keys of one shard are collected at one
    /// moment, under its lock; then each is looked at again and deleted by itself, so nobody waits for the sweep. A key that
    /// somebody else deletes meanwhile counts as a delete miss.
    ///
    /// `isIncluded` runs under the lock, twice for a match: keep it short, and call no map from it.
    public func deleteMatching(_ isIncluded: (Key, Value) -> Bool) -> Int {
        var deleted = 0
        for index in 0..<shards.count {
            let keys = gate.passUnwatched(as: .iterate) { shards[index].keys(where: isIncluded) }
            for key in keys where remove(key, if: { isIncluded(key, $0) }) != nil { deleted += 1 }
        }
        return deleted
    }

    /// Whether an update may find no memory for what it made of a value.
    @inlinable var canRefuseUpdates: Bool { heapBytes != nil && options.maximumBytes != nil }
}
