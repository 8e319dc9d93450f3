import Linearizability
import TestSupport
import Testing

/// The definition itself: some order of all operations that keeps real time explains every reply. Factorial, so for
/// histories of a few operations; shares no line with the checker.
private func someOrderExplains(_ operations: [Operation], from state: UInt64? = nil) -> Bool {
    if operations.isEmpty { return true }
    for (index, first) in operations.enumerated() {
        if operations.contains(where: { $0.responded < first.invoked }) { continue }
        var rest = operations
        rest.remove(at: index)
        guard first.found == (state != nil) else { continue }
        switch first.call {
        case .load:
            if first.found, first.value != state { continue }
            if someOrderExplains(rest, from: state) { return true }
        case .store: if someOrderExplains(rest, from: first.value) { return true }
        case .delete: if someOrderExplains(rest, from: nil) { return true }
        case .exchange:
            if first.seen != state ?? Operation.absent { continue }
            if someOrderExplains(rest, from: first.value == Operation.absent ? nil : first.value) { return true }
        case .insertIfAbsent: if someOrderExplains(rest, from: state ?? first.value) { return true }
        }
    }
    return false
}

/// Operations with random intervals and random replies, most of which no map would give.
private func randomHistory(_ count: Int, _ generator: inout SeededGenerator) -> [Operation] {
    let calls: [Operation.Call] = [.load, .store, .delete, .insertIfAbsent, .exchange]
    return (0..<count).map { index in
        let call = calls[Int.random(in: 0..<5, using: &generator)]
        let found = Bool.random(using: &generator)
        let read = UInt64.random(in: 1...UInt64(count), using: &generator)
        let value: UInt64 =
            switch call {
            case .load: found ? read : Operation.absent
            case .delete: Operation.absent
            default: UInt64(index + 1)
            }
        let invoked = UInt64.random(in: 1...16, using: &generator)
        return Operation(
            call, found: found, value: value, seen: call == .exchange && found ? read : Operation.absent,
            invoked: invoked, responded: invoked + UInt64.random(in: 0...8, using: &generator))
    }
}

@Suite("Linearizability checker against the definition")
struct CheckerOracleTests {
    @Test("the checker agrees with a search of all orders on short random histories")
    func agreesWithAllOrders() {
        var generator = SeededGenerator(seed: TestSeed.value)
        var passed = 0
        for _ in 0..<20_000 {
            let history = randomHistory(Int.random(in: 1...6, using: &generator), &generator)
            var checker = HistoryChecker(keys: 1)
            let passes = checker.check(history).isEmpty
            if passes != someOrderExplains(history) {
                Issue.record("the checker says \(passes) to \(history), \(TestSeed.note)")
                return
            }
            if passes { passed += 1 }
        }
        // Both answers must have been common enough to mean something.
        #expect(passed > 1_000 && passed < 19_000, "\(passed) of 20,000 passed, \(TestSeed.note)")
    }

    @Test("replies of a register that takes effect at a random moment of each operation always pass")
    func passesWhatARegisterDoes() {
        var generator = SeededGenerator(seed: TestSeed.value)
        for _ in 0..<200 {
            var state: UInt64?
            let history = (1...200).map { number in
                // Operation number n takes effect at tick 10 n, somewhere in an interval that covers many others.
                let effect = UInt64(number) * 10
                let invoked = effect - UInt64.random(in: 0...min(effect - 1, 30), using: &generator)
                let responded = effect + UInt64.random(in: 0...30, using: &generator)
                let found = state != nil
                switch Int.random(in: 0..<3, using: &generator) {
                case 0:
                    return Operation(
                        .load, found: found, value: state ?? Operation.absent, invoked: invoked, responded: responded)
                case 1:
                    state = UInt64(number)
                    return Operation(
                        .store, found: found, value: UInt64(number), invoked: invoked, responded: responded)
                default:
                    state = nil
                    return Operation(.delete, found: found, invoked: invoked, responded: responded)
                }
            }
            var checker = HistoryChecker(keys: 1)
            #expect(checker.check(history) == [], "\(TestSeed.note)")
        }
    }
}
