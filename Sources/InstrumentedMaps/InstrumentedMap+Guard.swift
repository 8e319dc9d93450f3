import Instruments

// Deletes that a map's guard may refuse. The plain ones return no error, so they trap rather than let a refusal pass for an
// absent key; whoever gives a map the guard `deny` deletes by these:
//
//     deleteGuarded            DeletionRefused
//     removeGuarded(if:)       DeletionRefused
//     deleteMatchingGuarded    DeletionRefused, which says what had gone before
//     modify, update           ModifyOutcome.removalRefused
//     perform                  MapBatch.Outcome.removalRefused

extension InstrumentedMap {
    /// ``delete(_:)`` on a map whose guard may refuse; without the guard `deny` it is the very same. A refusal counts in
    /// `map_op_refused_total{reason="guard"}` and changes nothing.
    @discardableResult
    public func deleteGuarded(_ key: Span<UInt8>) throws(DeletionRefused) -> Bool {
        guard options.deletionGuard == .deny else { return delete(key) }
        return try removed(modify(key, countingLoad: false) { _ in .remove })
    }

    /// `remove(_:if:)` on a map whose guard may refuse. A condition that does not hold is no refusal.
    @discardableResult
    public func removeGuarded(
        _ key: Span<UInt8>, if condition: (Span<UInt8>) -> Bool
    ) throws(DeletionRefused) -> Bool {
        let outcome = modify(key, countingLoad: false) { current in
            guard let current else { return .remove }
            return condition(current) ? .remove : .keep
        }
        return try removed(outcome)
    }

    /// ``deleteGuarded(_:)`` for a key in an array.
    @discardableResult
    public func deleteGuarded(_ key: [UInt8]) throws(DeletionRefused) -> Bool { try deleteGuarded(key.span) }

    /// ``deleteMatchingGuarded(_:)`` for the entries whose keys begin with `prefix`.
    public func deleteMatchingGuarded(prefix: [UInt8]) throws(DeletionRefused) -> Int {
        try deleteMatchingGuarded { $0.starts(with: prefix) }
    }

    /// The refusal of a delete, with the iterators that are open now.
    public func refusal(deleted: Int = 0) -> DeletionRefused {
        DeletionRefused(map: name, iterators: openIterators(now: MonotonicClock.nanoseconds()), deleted: deleted)
    }

    private func removed(_ outcome: ModifyOutcome) throws(DeletionRefused) -> Bool {
        if outcome == .removalRefused { throw refusal() }
        return outcome == .removed
    }
}
