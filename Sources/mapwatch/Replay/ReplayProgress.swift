import Glibc
import Instruments
import Scenarios

/// Says on stderr how far a replay has come: a line that is written over on a terminal, else one line every half minute.
final class ReplayProgress: Sendable {
    private struct State: Sendable {
        var number = 0
        var name = ""
        var shown = 0
    }

    private let count: Int
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = LockedState(State())

    /// Of so many replays.
    init(count: Int) { self.count = count }

    func begin(_ name: String) {
        state.withLock { state in
            state.number += 1
            state.name = name
            state.shown = 0
        }
    }

    /// The second that was played of the one that has begun last.
    func show(second: Int, isPaced: Bool = false) {
        let line: String? = state.withLock { state in
            // In process a second passes in a millisecond, and a terminal need not see each.
            let step = isTerminal ? (isPaced ? 1 : 10) : (isPaced ? 30 : ScenarioTime.length)
            guard second - state.shown >= step else { return nil }
            state.shown = second
            let phase = ScenarioTime.phase(at: second)
            return "\(state.number)/\(count) \(state.name): second \(second) of \(ScenarioTime.length), \(phase)"
        }
        guard let line else { return }
        write(isTerminal ? "\r\u{1b}[K\(line)" : "\(line)\n")
    }

    /// A line that stays.
    func say(_ text: String) { write("\(text)\n") }

    func end() {
        if isTerminal { write("\r\u{1b}[K") }
    }

    private func write(_ text: String) { System.writeToStandardError(Array(text.utf8)) }
}
