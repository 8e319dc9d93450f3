// What becomes of a delete that meets an open live iterator. An unguarded map would not survive it; these do, so the choice
// is the owner's:
//
//     allow            the delete goes on, the iterator goes on            counted
//     deny             the delete is refused                               counted, and an error to whoever deletes
//     stop_iteration   the delete goes on, the iterators end               counted, and a reason to whoever iterates
//
// Expiry is no delete to the guard: an entry whose time is over is gone for every reader anyway, iterators included, and
// a forgotten iterator must not keep the memory of all that expires.

/// What a map does with a delete that finds its key while a live iterator is open.
public enum DeletionGuard: String, Sendable, CaseIterable {
    /// Both go on.
    case allow
    /// The delete is refused: ``DeletionRefused``, or ``ModifyOutcome/removalRefused``.
    case deny
    /// The delete goes on, and all live iterators end: ``MapIterator/stop``.
    case stopIteration = "stop_iteration"
}

/// One open live iterator.
public struct OpenIteratorState: Sendable, Equatable {
    /// Counts the map's live iterators from 1.
    public let number: UInt64
    public let openNanoseconds: UInt64
    /// Since it was opened or last moved.
    public let restingNanoseconds: UInt64
}

/// Why a delete did not go on: the map's guard is `deny`, and live iterators are open.
public struct DeletionRefused: Error, Equatable, CustomStringConvertible {
    public let map: MapName
    /// Those that were open just after the refusal, the oldest first. Empty when the last of them has ended since.
    public let iterators: [OpenIteratorState]
    /// What the same call had deleted before.
    public let deleted: Int

    public init(map: MapName, iterators: [OpenIteratorState], deleted: Int = 0) {
        self.map = map
        self.iterators = iterators
        self.deleted = deleted
    }

    /// Iterators that the text names one by one.
    private static let named = 8

    public var description: String {
        func seconds(_ nanoseconds: UInt64) -> String { "\(nanoseconds / 1_000_000_000) s" }
        let names = iterators.prefix(DeletionRefused.named).map {
            "no. \($0.number), open for \(seconds($0.openNanoseconds)) and at rest for \(seconds($0.restingNanoseconds))"
        }
        let others = iterators.count - names.count
        let list = (names + (others > 0 ? ["\(others) more"] : [])).joined(separator: "; ")
        return "guard \"deny\" of map \"\(map)\" refuses deletes while a live iterator is open"
            + (list.isEmpty ? "" : " (\(list))") + "; read it to its end, end it, or wait until its lease runs out; "
            + (deleted == 0 ? "nothing was deleted" : "\(deleted) entries had been deleted before")
    }
}

/// Why an iteration ended before its last entry.
public enum IterationStop: UInt8, Sendable, CaseIterable {
    /// Something was deleted, and the map's guard is `stop_iteration`.
    case deletion = 1
    /// Nobody asked for the next page within the lease.
    case lease = 2

    /// The value of the label `reason`.
    public var reason: String {
        switch self {
        case .deletion: "guard"
        case .lease: "lease"
        }
    }
}

/// Live iterators that ended before their last entry, by why.
public struct AbortedIterators: Sendable, Equatable {
    public var deletions: UInt64 = 0
    public var leases: UInt64 = 0

    public init() {}

    public subscript(stop: IterationStop) -> UInt64 {
        get {
            switch stop {
            case .deletion: deletions
            case .lease: leases
            }
        }
        set {
            switch stop {
            case .deletion: deletions = newValue
            case .lease: leases = newValue
            }
        }
    }
}
