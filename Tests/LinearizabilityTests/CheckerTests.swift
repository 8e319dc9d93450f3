import Linearizability
import TestSupport
import Testing

/// A history by hand: `[from, to]` are ticks, and the key is 0 unless it says otherwise.
private func load(_ value: UInt64?, _ from: UInt64, _ to: UInt64, key: UInt16 = 0) -> Operation {
    Operation(.load, key: key, found: value != nil, value: value ?? Operation.absent, invoked: from, responded: to)
}

private func insert(_ value: UInt64, _ from: UInt64, _ to: UInt64, key: UInt16 = 0) -> Operation {
    Operation(.store, key: key, found: false, value: value, invoked: from, responded: to)
}

private func update(_ value: UInt64, _ from: UInt64, _ to: UInt64) -> Operation {
    Operation(.store, found: true, value: value, invoked: from, responded: to)
}

private func delete(_ hit: Bool, _ from: UInt64, _ to: UInt64) -> Operation {
    Operation(.delete, found: hit, invoked: from, responded: to)
}

/// An exchange of one value for another; nil is absence.
private func exchange(_ seen: UInt64?, for value: UInt64?, _ from: UInt64, _ to: UInt64) -> Operation {
    Operation(
        .exchange, found: seen != nil, value: value ?? Operation.absent, seen: seen ?? Operation.absent, invoked: from,
        responded: to)
}

private func insertIfAbsent(_ value: UInt64, done: Bool, _ from: UInt64, _ to: UInt64) -> Operation {
    Operation(.insertIfAbsent, found: !done, value: value, invoked: from, responded: to)
}

/// A named history on up to two keys.
private struct Sample: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let operations: [Operation]

    init(_ name: String, _ operations: [Operation]) {
        testDescription = name
        self.operations = operations
    }

    static let good = [
        Sample("nothing at all", []),
        Sample(
            "one thread that does one thing after the other",
            [
                load(nil, 1, 2), insert(1, 3, 4), load(1, 5, 6), update(2, 7, 8), load(2, 9, 10), delete(true, 11, 12),
                delete(false, 13, 14), load(nil, 15, 16),
            ]),
        Sample("a load that sees a store before it has answered", [insert(1, 1, 10), load(1, 2, 3)]),
        Sample("a load that does not see yet a store that overlaps it", [insert(1, 1, 10), load(nil, 2, 3)]),
        Sample("a load that began first sees a store that began later", [load(1, 1, 10), insert(1, 2, 3)]),
        Sample(
            "two stores in the order opposite to their invocations",
            [
                insert(2, 1, 10), update(1, 2, 9), delete(true, 11, 12),
            ]),
        Sample(
            "two stores whose replies only fit in the other order",
            [update(1, 1, 10), insert(2, 2, 9), load(1, 11, 12)]),
        Sample(
            "a load between two stores that both overlap it",
            [
                insert(1, 1, 20), update(2, 2, 21), load(1, 3, 5), load(2, 6, 8),
            ]),
        Sample(
            "two deletes and two stores that alternate",
            [
                insert(1, 1, 20), insert(2, 1, 20), delete(true, 2, 19), delete(true, 3, 18), load(nil, 21, 22),
            ]),
        Sample(
            "an operation that takes effect long after others that began later",
            [
                delete(true, 1, 100), insert(1, 2, 3), load(1, 4, 5), update(2, 6, 7), load(2, 8, 9), load(nil, 10, 11),
            ]),
        Sample(
            "of three that insert if absent one wins",
            [
                insertIfAbsent(1, done: false, 1, 10), insertIfAbsent(2, done: true, 2, 9),
                insertIfAbsent(3, done: false, 3, 8), load(2, 11, 12),
            ]),
        Sample(
            "exchanges that form a chain, whatever the order of their invocations",
            [
                exchange(2, for: 3, 1, 10), exchange(1, for: 2, 2, 9), exchange(nil, for: 1, 3, 8),
                exchange(3, for: nil, 11, 12), load(nil, 13, 14),
            ]),
        Sample("one tick that ends one operation and begins another is overlap", [insert(1, 1, 5), load(nil, 5, 6)]),
        Sample(
            "two keys that know nothing of each other",
            [
                insert(1, 1, 2, key: 0), load(nil, 3, 4, key: 1), insert(2, 5, 6, key: 1), load(1, 7, 8, key: 0),
            ]),
    ]

    static let bad = [
        Sample("a stale read after a delete that had ended", [insert(1, 1, 2), delete(true, 3, 4), load(1, 5, 6)]),
        Sample("a stale read after an update that had ended", [insert(1, 1, 2), update(2, 3, 4), load(1, 5, 6)]),
        Sample("a lost update", [insert(1, 1, 2), update(2, 3, 10), update(3, 4, 11), load(1, 12, 13)]),
        Sample("a store that vanished", [insert(1, 1, 2), load(nil, 3, 4)]),
        Sample("a value that was never written", [insert(1, 1, 2), load(9, 3, 4)]),
        Sample("a value from before it was written", [load(1, 1, 2), insert(1, 3, 4)]),
        Sample("two stores against the order of real time", [insert(1, 1, 2), insert(2, 3, 4)]),
        Sample(
            "two loads that see two stores in turns",
            [
                insert(1, 1, 2), update(2, 3, 20), load(2, 4, 5), load(1, 6, 7),
            ]),
        Sample(
            "two readers that disagree on the order of two stores",
            [
                insert(9, 1, 2), update(1, 3, 30), update(2, 3, 30), load(1, 4, 5), load(2, 6, 7), load(1, 8, 9),
            ]),
        Sample("two deletes that both succeed", [insert(1, 1, 2), delete(true, 3, 10), delete(true, 4, 9)]),
        Sample("two stores at once that both insert", [insert(1, 1, 10), insert(2, 2, 9)]),
        Sample("a store reported as an insert while the key was there", [insert(1, 1, 2), insert(2, 3, 4)]),
        Sample("a store reported as an update while the key was absent", [update(1, 1, 2)]),
        Sample("a delete that missed a key that was there", [insert(1, 1, 2), delete(false, 3, 4)]),
        Sample("a gap while a value is replaced", [insert(1, 1, 2), update(2, 3, 10), load(nil, 4, 5)]),
        Sample(
            "two that insert if absent and both win",
            [
                insertIfAbsent(1, done: true, 1, 10), insertIfAbsent(2, done: true, 2, 9),
            ]),
        Sample(
            "two exchanges of the same value",
            [
                insert(1, 1, 2), exchange(1, for: 2, 3, 10), exchange(1, for: 3, 4, 9),
            ]),
        Sample(
            "an insert if absent that overwrote",
            [
                insert(1, 1, 2), insertIfAbsent(2, done: false, 3, 4), load(2, 5, 6),
            ]),
        Sample("a violation on the second key only", [insert(1, 1, 2, key: 0), load(1, 3, 4, key: 1)]),
    ]
}

@Suite("Linearizability checker")
struct CheckerTests {
    @Test("a history that some order explains passes", arguments: Sample.good)
    private func passesGood(_ sample: Sample) {
        var checker = HistoryChecker(keys: 2)
        #expect(checker.check(sample.operations) == [])
        #expect(checker.statistics.operations == sample.operations.count)
    }

    @Test("a history that no order explains is refused", arguments: Sample.bad)
    private func refusesBad(_ sample: Sample) throws {
        var checker = HistoryChecker(keys: 2)
        let problem = try #require(checker.check(sample.operations).first)
        guard case .violation = problem else {
            Issue.record("\(problem)")
            return
        }
    }

    @Test("the order in which a history is handed over does not matter", arguments: Sample.good + Sample.bad)
    private func orderOfInputDoesNotMatter(_ sample: Sample) {
        var forwards = HistoryChecker(keys: 2)
        var backwards = HistoryChecker(keys: 2)
        let (one, other) = (forwards.check(sample.operations), backwards.check(sample.operations.reversed()))
        #expect(one.isEmpty == other.isEmpty)
    }

    @Test("what a key may hold is carried over a quiescent point, all of it")
    func carriesStates() {
        var checker = HistoryChecker(keys: 1)
        #expect(checker.check([insert(1, 1, 2), update(2, 3, 10), update(3, 4, 9)]) == [])
        #expect(checker.states(of: 0) == [2, 3])
        #expect(checker.check([load(2, 11, 12)]) == [])
        #expect(checker.states(of: 0) == [2])
        #expect(checker.check([load(3, 13, 14)]).count == 1)
    }

    @Test("a search over its budget is unknown, which is not a pass")
    func exhaustedIsUnknown() {
        let stores = (1...10).map { update($0, 2, 100) }
        let history = [insert(99, 1, 1)] + stores + [load(5, 101, 102)]
        var generous = HistoryChecker(keys: 1)
        #expect(generous.check(history) == [])
        var poor = HistoryChecker(keys: 1, budget: 20)
        #expect(poor.check(history) == [.unknown(key: 0, budget: 20)])
    }

    @Test("the report of a violation names the operation, what the key held, and what lay around it")
    func reportsViolation() throws {
        var checker = HistoryChecker(keys: 1)
        let history = [insert(1, 1, 2), delete(true, 3, 4), load(9, 5, 8), load(nil, 6, 7)]
        let problem = try #require(checker.check(history).first)
        #expect(
            "\(problem)" == """
                key 0 is not linearizable: no order explains
                    [5–8] thread 0: load → 9
                  its value was never written
                  the key may have held: absent
                  before it:
                    [1–2] thread 0: store 1 → inserted
                    [3–4] thread 0: delete → deleted
                  beside it:
                    [6–7] thread 0: load → absent
                """)
    }

    @Test("windows are counted between quiescent points, and overlap is told apart")
    func countsWindows() {
        var checker = HistoryChecker(keys: 1)
        #expect(checker.check([insert(1, 1, 2), update(2, 3, 6), load(1, 4, 5), load(2, 7, 8)]) == [])
        let statistics = checker.statistics
        #expect(statistics.windows == 3)
        #expect(statistics.overlapping == 1)
        #expect(statistics.mostPending == 2)
    }
}
