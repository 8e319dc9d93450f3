import Instruments
import TestSupport
import Testing

@Suite("LockedState")
struct LockedStateTests {
    private final class Shared: Sendable {
        let state = LockedState<[Int: Int]>([:])
    }

    private final class Life: Sendable {
        let ended: Flag
        init(_ ended: Flag) { self.ended = ended }
        deinit { ended.raise() }
    }

    private struct Refused: Error, Equatable {}

    @Test("eight threads that change one value lose no change")
    func changesAreExclusive() {
        let shared = Shared()
        ThreadGroup.run(8) { thread in
            for index in 0..<5_000 { shared.state.withLock { $0[index % 16, default: 0] += thread + 1 } }
        }
        let sum = shared.state.withLock { $0.values.reduce(0, +) }
        #expect(sum == (1...8).reduce(0, +) * 5_000)
    }

    @Test("an error keeps what was changed before it, and frees the lock")
    func errorsKeepChanges() {
        let state = LockedState(1)
        #expect(throws: Refused()) {
            try state.withLock { value throws(Refused) in
                value = 2
                throw Refused()
            }
        }
        let value = state.withLock { $0 }
        #expect(value == 2)
    }

    @Test("the value lives exactly as long as its lock")
    func valueIsDestroyed() {
        let ended = Flag()
        do {
            let state = LockedState(Life(ended))
            state.withLock { _ in #expect(!ended.isRaised) }
        }
        #expect(ended.isRaised)
    }
}
