/// Checks whether the operations of many threads on several keys are linearizable, each key for itself. That is enough: a
/// history is linearizable exactly when that of each object is (Herlihy & Wing 1990, locality).
///
/// A long history comes in pieces that were cut where no operation was under way; what keys may hold is carried over.
public struct HistoryChecker: Sendable {
    private var keys: [KeyChecker]

    /// All `keys` are absent at first. No answer is given for a key for which one response takes more than `budget`
    /// configurations; with eight threads there are at most some thousand.
    public init(keys: Int, budget: Int = 200_000) {
        self.keys = Array(repeating: KeyChecker(budget: budget), count: keys)
    }

    /// Checks the next piece, in any order, and returns at most one problem for each key. After a problem the checker
    /// is of no further use.
    public mutating func check(_ operations: [Operation]) -> [HistoryProblem] {
        var byKey = [[Operation]](repeating: [], count: keys.count)
        for operation in operations { byKey[Int(operation.key)].append(operation) }
        var problems: [HistoryProblem] = []
        for index in keys.indices {
            if let problem = keys[index].check(byKey[index]) { problems.append(problem) }
        }
        return problems
    }

    /// The states that a key may be in after all that was checked.
    public func states(of key: Int) -> Set<UInt64> { keys[key].states }

    /// What was looked at so far.
    public var statistics: HistoryStatistics {
        keys.reduce(into: HistoryStatistics()) { $0.add($1.statistics) }
    }
}

/// How much there was to check.
public struct HistoryStatistics: Sendable, Equatable {
    public internal(set) var operations = 0
    /// Operations that began while another one on their key was under way.
    public internal(set) var overlapping = 0
    /// Stretches between two moments at which no operation on the key was under way.
    public internal(set) var windows = 0
    /// The most operations on one key that were under way together.
    public internal(set) var mostPending = 0
    /// Configurations visited, in all and for the costliest response.
    public internal(set) var visited = 0
    public internal(set) var mostVisited = 0

    mutating func add(_ other: HistoryStatistics) {
        operations += other.operations
        overlapping += other.overlapping
        windows += other.windows
        mostPending = max(mostPending, other.mostPending)
        visited += other.visited
        mostVisited = max(mostVisited, other.mostVisited)
    }
}

/// Why a history did not pass.
public enum HistoryProblem: Sendable, Equatable, CustomStringConvertible {
    case violation(HistoryViolation)
    /// The budget ran out before there was an answer. Not a pass.
    case unknown(key: UInt16, budget: Int)

    public var description: String {
        switch self {
        case .violation(let violation): violation.description
        case .unknown(let key, let budget):
            "key \(key): unknown; one response took more than \(budget) configurations"
        }
    }
}

/// An operation that no order of the operations around it explains.
public struct HistoryViolation: Sendable, Equatable, CustomStringConvertible {
    public let operation: Operation
    /// What the key may have held before.
    public let states: [UInt64]
    /// The last operations that had ended before it began.
    public let earlier: [Operation]
    /// The operations that overlap it.
    public let overlapping: [Operation]
    /// False for a load of a value that nobody is known to have written.
    public let isValueKnown: Bool

    public var description: String {
        var lines = ["key \(operation.key) is not linearizable: no order explains", "    \(operation)"]
        if !isValueKnown { lines.append("  its value was never written") }
        let held = states.prefix(8).map { $0 == Operation.absent ? "absent" : "\($0)" }.joined(separator: ", ")
        lines.append("  the key may have held: \(held)")
        if !earlier.isEmpty { lines.append("  before it:") }
        lines += earlier.map { "    \($0)" }
        if !overlapping.isEmpty { lines.append("  beside it:") }
        lines += overlapping.prefix(12).map { "    \($0)" }
        return lines.joined(separator: "\n")
    }
}
