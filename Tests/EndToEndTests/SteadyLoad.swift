import Foundation
import Synchronization
import TestSupport

/// A driver that changes one map at a steady pace, on a thread of its own, and keeps a ledger by the second.
///
/// Each beat of 50 ms is one batch with the same mix, so that every window of seconds has the same shares:
/// 20 inserts, 10 updates, 10 deletes, 16 loads, 3 load misses and 1 delete miss. The map grows by 200 entries a second.
final class SteadyLoad: Sendable {
    static let beatMilliseconds = 50
    /// Deletes as a share of writes.
    static let deleteShare = 10.0 / 40.0

    /// How many entries there were at a moment, in seconds since 1970.
    struct Moment: Sendable {
        let time: Double
        let entries: Int
    }

    private struct State: Sendable {
        var history: [Moment] = []
        var ledger = OperationLedger()
        var problem: String?
    }

    private let state = Mutex(State())
    private let stopped = Flag()
    private let thread = ThreadGroup()

    init(daemon: MapwatchProcess, map: String) {
        thread.start { [self] in
            do {
                try drive(daemon.connectToData(), map)
            } catch {
                state.withLock { $0.problem = "\(error)" }
            }
        }
    }

    /// Ends the load; gives what was done, and what went wrong.
    func stop() -> (ledger: OperationLedger, problem: String?) {
        stopped.raise()
        thread.join()
        return state.withLock { ($0.ledger, $0.problem) }
    }

    var history: [Moment] { state.withLock { $0.history } }

    /// Entries at a moment: of the last beat before it.
    func entries(at time: Double) -> Double {
        Double(history.last { $0.time <= time }?.entries ?? 0)
    }

    private func drive(_ connection: HTTPConnection, _ map: String) throws {
        let coder = BatchCoder()
        var model = ModelMap()
        var mix = Mix()
        var ticker = Ticker(milliseconds: Self.beatMilliseconds)
        while !stopped.isRaised {
            let operations = mix.next()
            let expected = operations.map { model.apply($0) }
            guard try coder.send(operations, to: map, over: connection) == expected else {
                throw ChildProblem(description: "a batch was not answered as the model says")
            }
            let moment = Moment(time: Date().timeIntervalSince1970, entries: model.ledger.entries)
            state.withLock { state in
                state.ledger = model.ledger
                state.history.append(moment)
            }
            ticker.waitForBeat()
        }
    }

    /// Chooses the operations of each beat.
    private struct Mix {
        private var random = SeededGenerator(seed: 7)
        private var live: [[UInt8]] = []
        private var made = 0

        mutating func next() -> [MapOperation] {
            var operations: [MapOperation] = []
            for _ in 0..<20 {
                let key = Array("order:\(made)".utf8)
                made += 1
                live.append(key)
                operations.append(.put(key: key, value: Array(repeating: 0x76, count: 100)))
            }
            for _ in 0..<10 {
                operations.append(.put(key: live[pick()], value: Array(repeating: 0x77, count: 100)))
            }
            for _ in 0..<16 { operations.append(.get(key: live[pick()])) }
            for number in 0..<3 { operations.append(.get(key: Array("absent:\(made)/\(number)".utf8))) }
            operations.append(.delete(key: Array("absent:\(made)".utf8)))
            for _ in 0..<10 {
                let index = pick()
                live.swapAt(index, live.count - 1)
                operations.append(.delete(key: live.removeLast()))
            }
            return operations
        }

        private mutating func pick() -> Int { Int.random(in: 0..<live.count, using: &random) }
    }
}
