// Is there one order of all operations on a key that explains every reply and keeps every operation between its
// invocation and its response? Herlihy & Wing call such a history linearizable (TOPLAS 1990).
//
//     J. M. Wing, C. Gong: Testing and Verifying Concurrent Objects, JPDC 1993: search the orders, depth first.
//     G. Lowe: Testing for Linearizability, CCPE 2017: remember visited configurations; linearise just in time.
//     A. Horn, D. Kroening: Faster Linearizability Checking via P-Compositionality, FORTE 2015: one key at a time.
//
// A configuration is (pending operations that have taken effect, state of the key). The history is read event by event:
//
//     invocation      the operation becomes pending; no configuration changes
//     response of X   each configuration in which X has not taken effect tries every order of pending operations that
//                     ends with X (depth first, each configuration once); those that find none are dropped
//
// No configuration left: not linearizable. When nothing is pending (a quiescent point) only states are left, and the
// search begins anew from those; so time grows with the history and memory with the number of threads.

/// Checks the history of one key, window by window.
struct KeyChecker: Sendable {
    /// The pending operations that have taken effect, one bit each, and the state that they left.
    private struct Configuration: Hashable {
        var done: UInt64
        var state: UInt64
    }

    private enum Step {
        case goOn
        case stuck
        case exhausted
    }

    /// The states that the key may be in.
    private(set) var states: Set<UInt64> = [Operation.absent]
    private(set) var statistics = HistoryStatistics()
    private let budget: Int

    private var frontier: [Configuration] = []
    /// By slot; a slot is a bit of a configuration.
    private var pending: [Operation?] = Array(repeating: nil, count: 64)
    private var pendingMask: UInt64 = 0
    // Kept between responses for their memory.
    private var seen: Set<Configuration> = []
    private var stack: [Configuration] = []
    /// The frontier before the last response.
    private var previous: [Configuration] = []

    /// `budget` is how many configurations one response may visit before the answer is unknown.
    init(budget: Int) { self.budget = budget }

    /// Checks what happened between two quiescent points, in any order; nil when it is linearizable.
    mutating func check(_ operations: [Operation]) -> HistoryProblem? {
        // An invocation comes before a response of the same tick: then the two overlap, which accuses nobody.
        var events: [(time: UInt64, index: Int)] = []
        events.reserveCapacity(operations.count * 2)
        for (index, operation) in operations.enumerated() {
            events.append((operation.invoked * 2, index))
            events.append((operation.responded * 2 + 1, index))
        }
        events.sort { $0.time < $1.time }
        frontier = states.map { Configuration(done: 0, state: $0) }
        var slots = [Int8](repeating: 0, count: operations.count)
        for event in events {
            let operation = operations[event.index]
            if event.time % 2 == 0 {
                slots[event.index] = invoke(operation)
                continue
            }
            switch respond(operation, slot: Int(slots[event.index])) {
            case .goOn: continue
            case .stuck: return violation(operation, operations)
            case .exhausted: return .unknown(key: operation.key, budget: budget)
            }
        }
        states = Set(frontier.map(\.state))
        return nil
    }

    private mutating func invoke(_ operation: Operation) -> Int8 {
        let slot = (~pendingMask).trailingZeroBitCount
        precondition(slot < 64, "more than 64 operations overlap")
        if pendingMask == 0 { statistics.windows += 1 } else { statistics.overlapping += 1 }
        pending[slot] = operation
        pendingMask |= 1 << UInt64(slot)
        statistics.operations += 1
        statistics.mostPending = max(statistics.mostPending, pendingMask.nonzeroBitCount)
        return Int8(slot)
    }

    private mutating func respond(_ operation: Operation, slot: Int) -> Step {
        let bit: UInt64 = 1 << UInt64(slot)
        defer {
            pending[slot] = nil
            pendingMask &= ~bit
        }
        swap(&frontier, &previous)
        frontier.removeAll(keepingCapacity: true)
        // The common case: nothing overlaps, and there is one state to start from.
        if pendingMask == bit, previous.count == 1, previous[0].done == 0 {
            guard let state = operation.apply(to: previous[0].state) else { return .stuck }
            frontier.append(Configuration(done: 0, state: state))
            return .goOn
        }
        return search(until: bit)
    }

    /// Every configuration in which the operation of `bit` has taken effect, and no other had to that could wait.
    private mutating func search(until bit: UInt64) -> Step {
        seen.removeAll(keepingCapacity: true)
        stack.removeAll(keepingCapacity: true)
        stack.append(contentsOf: previous)
        while let configuration = stack.popLast() {
            guard seen.insert(configuration).inserted else { continue }
            if seen.count > budget { return .exhausted }
            if configuration.done & bit != 0 {
                frontier.append(Configuration(done: configuration.done & ~bit, state: configuration.state))
                continue
            }
            var waiting = pendingMask & ~configuration.done
            while waiting != 0 {
                let slot = waiting.trailingZeroBitCount
                waiting &= waiting - 1
                if let state = pending[slot]?.apply(to: configuration.state) {
                    stack.append(Configuration(done: configuration.done | 1 << UInt64(slot), state: state))
                }
            }
        }
        statistics.visited += seen.count
        statistics.mostVisited = max(statistics.mostVisited, seen.count)
        return frontier.isEmpty ? .stuck : .goOn
    }

    private func violation(_ operation: Operation, _ all: [Operation]) -> HistoryProblem {
        let states = Set(previous.map(\.state))
        let overlapping = all.filter {
            $0 != operation && $0.invoked <= operation.responded && $0.responded >= operation.invoked
        }
        let earlier = all.filter { $0.responded < operation.invoked }.sorted { $0.responded < $1.responded }
        let isKnown =
            operation.call != .load || !operation.found || states.contains(operation.value)
            || all.contains { $0.call != .load && $0.value == operation.value }
        return .violation(
            HistoryViolation(
                operation: operation, states: states.sorted(), earlier: Array(earlier.suffix(6)),
                overlapping: overlapping.sorted { $0.invoked < $1.invoked }, isValueKnown: isKnown))
    }
}
