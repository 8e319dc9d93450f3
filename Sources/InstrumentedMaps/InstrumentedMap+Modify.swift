// Reading and writing in one step. All of these are `modify` with a closure that decides under the shard's lock:
//
//     insertIfAbsent    nil → store                   else keep
//     getOrInsert       nil → store                   else keep, and the answer is a load's
//     update            whatever the body left: store, remove, or keep when it left the bytes as they were
//     remove(if:)       nil → remove, a delete miss   else remove or keep
//
// A value that is to be stored is an array: a closure cannot return a span of its own.

/// What is to become of an entry.
public enum EntryChange: Sendable, Equatable {
    /// Nothing: what is there stays, what is absent stays absent.
    case keep
    /// This is its value from now on, for as long as the map's entries live.
    case store([UInt8])
    /// This is its value for so many seconds (``MapOptions/ttlRange``).
    case storeExpiring([UInt8], ttlSeconds: Int)
    /// It goes; a delete miss when it is absent.
    case remove
}

/// What ``InstrumentedMap/modify(_:countingLoad:_:)`` did.
public enum ModifyOutcome: Sendable, Equatable {
    /// Nothing has changed.
    case kept
    case stored(StoreOutcome)
    case removed
    /// It should have gone, but the map's guard is `deny` and a live iterator is open: nothing has changed.
    case removalRefused

    /// As what its duration is counted.
    @usableFromInline var operation: TimedOperation {
        switch self {
        case .kept: .load
        case .stored: .store
        case .removed, .removalRefused: .delete
        }
    }
}

extension InstrumentedMap {
    /// Sets the value of `key` when it is absent, and says whether it did. Linearizable; the shard's lock; counts an
    /// insert, or nothing when the key is there. False too, and a refusal counted, when there was no memory for it.
    @discardableResult
    public func insertIfAbsent(_ key: Span<UInt8>, _ value: [UInt8]) -> Bool {
        let outcome = modify(key, countingLoad: false) { current in current == nil ? .store(value) : .keep }
        return outcome == .stored(.inserted)
    }

    /// The value of `key`, which is set to what `value` returns when it is absent. Linearizable; the shard's lock; counts a
    /// load, or a load miss and an insert; without memory for it a refusal, and the value is returned but not kept.
    ///
    /// `value` runs under the lock, and only when the key is absent, so that of many callers one makes the value: keep
    /// it short, and call no map from it (see ``modify(_:countingLoad:_:)``).
    public func getOrInsert(_ key: Span<UInt8>, _ value: () -> [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        modify(key, countingLoad: true) { current in
            if let current {
                result = [UInt8](copying: current)
                return .keep
            }
            result = value()
            return .store(result)
        }
        return result
    }

    /// Shows `body` a copy of the value of `key`, nil when it is absent, to set, change or remove (nil). Linearizable;
    /// the shard's lock; counts an insert, an update or a delete, and nothing when `body` leaves the same bytes. No
    /// load is counted.
    ///
    /// `body` runs once, under the lock: keep it short, and call no map from it (see ``modify(_:countingLoad:_:)``).
    @discardableResult
    public func update(_ key: Span<UInt8>, _ body: (inout [UInt8]?) -> Void) -> ModifyOutcome {
        modify(key, countingLoad: false) { current in
            guard let current else {
                var value: [UInt8]?
                body(&value)
                return value.map { .store($0) } ?? .keep
            }
            var value: [UInt8]? = [UInt8](copying: current)
            body(&value)
            guard let value else { return .remove }
            return current.equals(value) ? .keep : .store(value)
        }
    }

    /// Removes `key` when `condition` holds for its value, and says whether it did. Linearizable; the shard's lock;
    /// counts a delete, a delete miss when the key is absent, and nothing when the condition does not hold.
    ///
    /// `condition` runs at most once, under the lock: keep it short, and call no map from it (see
    /// ``modify(_:countingLoad:_:)``).
    @discardableResult
    public func remove(_ key: Span<UInt8>, if condition: (Span<UInt8>) -> Bool) -> Bool {
        let outcome = modify(key, countingLoad: false) { current in
            guard let current else { return .remove }
            return condition(current) ? .remove : .keep
        }
        precondition(outcome != .removalRefused, "\(refusal())")
        return outcome == .removed
    }
}

extension InstrumentedMap {
    /// ``insertIfAbsent(_:_:)`` for a key in an array.
    @discardableResult
    public func insertIfAbsent(_ key: [UInt8], _ value: [UInt8]) -> Bool { insertIfAbsent(key.span, value) }

    /// ``getOrInsert(_:_:)`` for a key in an array.
    public func getOrInsert(_ key: [UInt8], _ value: () -> [UInt8]) -> [UInt8] { getOrInsert(key.span, value) }

    /// ``update(_:_:)`` for a key in an array.
    @discardableResult
    public func update(_ key: [UInt8], _ body: (inout [UInt8]?) -> Void) -> ModifyOutcome { update(key.span, body) }

    /// ``remove(_:if:)`` for a key in an array.
    @discardableResult
    public func remove(_ key: [UInt8], if condition: (Span<UInt8>) -> Bool) -> Bool { remove(key.span, if: condition) }
}
