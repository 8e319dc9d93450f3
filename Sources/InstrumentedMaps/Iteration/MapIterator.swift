/// What an iteration promises. The third kind is no walk from page to page but a call:
/// ``InstrumentedMap/forEachLocked(_:)`` sees the whole map at one moment, while every writer waits.
public enum IterationKind: String, Sendable, CaseIterable {
    /// Sees no change made after it began, shard by shard: each shard was copied once, under its lock.
    case snapshot
    /// Sees changes: never omits a key that is present throughout, never shows a key twice, shows a value as it is when
    /// its turn comes.
    case live
}

/// A walk over a map, page by page. Used by one caller at a time; between two pages no lock is held.
public protocol MapIterator: AnyObject, Sendable {
    /// Up to `limit` further entries, or fewer: at the end, and once keys and values sum up to `maximumBytes`. At least
    /// one entry comes while there are any.
    func next(limit: Int, maximumBytes: Int) -> [MapEntry]

    /// Bytes of keys and values that the iterator holds beside the map.
    var heldBytes: Int { get }

    /// True once every entry was handed out, or the iteration was stopped.
    var isAtEnd: Bool { get }

    /// Why it ended before its last entry; nil while it goes on and once it is complete.
    var stop: IterationStop? { get }

    /// Ends it, because nobody has asked for the next page within its lease.
    func abandon()
}

extension MapIterator {
    /// Nothing stops what was copied.
    public var stop: IterationStop? { nil }

    public func abandon() {}
}

/// Why an iteration could not begin.
public enum IterationError: Error, Equatable, CustomStringConvertible {
    case snapshotTooLarge(map: MapName, limit: Int)
    /// A map on `checked` was being written.
    case conflict(MapConflict)

    public var description: String {
        switch self {
        case .conflict(let conflict):
            "\(conflict)"
        case .snapshotTooLarge(let map, let limit):
            "a snapshot of map \"\(map)\" would copy more than \(limit) bytes; narrow it by a prefix or use mode=live"
        }
    }
}
