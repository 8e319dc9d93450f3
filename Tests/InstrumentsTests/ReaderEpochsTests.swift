import Instruments
import TestSupport
import Testing

@Suite("ReaderEpochs")
struct ReaderEpochsTests {
    /// Enters on this thread, says so, stays until it is told to leave, and says that too.
    private static func stay(in epochs: ReaderEpochs, entered: Flag, leaving: Flag) -> ThreadGroup {
        let group = ThreadGroup()
        group.start {
            let slot = epochs.enter()
            entered.raise()
            _ = eventually { leaving.isRaised }
            slot?.leave()
        }
        #expect(eventually { entered.isRaised })
        return group
    }

    @Test("with nobody inside nothing is held")
    func nobody() {
        let epochs = ReaderEpochs(slots: 4)
        let tag = epochs.retire()
        #expect(tag < epochs.oldestReader())
        #expect(epochs.oldestReader() == .max)
        epochs.destroy()
    }

    @Test("what is retired while a reader is inside is held until it leaves; what was retired before is not")
    func holds() {
        let epochs = ReaderEpochs(slots: 4)
        let before = epochs.retire()
        let (entered, leaving) = (Flag(), Flag())
        let reader = Self.stay(in: epochs, entered: entered, leaving: leaving)
        let during = epochs.retire()
        let later = epochs.retire()
        #expect(before < epochs.oldestReader())
        #expect(during >= epochs.oldestReader())
        #expect(later >= epochs.oldestReader())
        leaving.raise()
        reader.join()
        #expect(later < epochs.oldestReader())
        epochs.destroy()
    }

    @Test("the oldest reader decides, and one that enters later holds only what is retired after it")
    func oldestDecides() {
        let epochs = ReaderEpochs(slots: 4)
        let (firstLeaves, secondLeaves) = (Flag(), Flag())
        let first = Self.stay(in: epochs, entered: Flag(), leaving: firstLeaves)
        let between = epochs.retire()
        let second = Self.stay(in: epochs, entered: Flag(), leaving: secondLeaves)
        #expect(between >= epochs.oldestReader())
        firstLeaves.raise()
        first.join()
        #expect(between < epochs.oldestReader())
        #expect(epochs.retire() >= epochs.oldestReader())
        secondLeaves.raise()
        second.join()
        epochs.destroy()
    }

    @Test("threads beyond the slots get none, and a thread that ends leaves its slot to the next")
    func slotsAreGivenBack() {
        let epochs = ReaderEpochs(slots: 2)
        let leaving = Flag()
        let stayers = [
            Self.stay(in: epochs, entered: Flag(), leaving: leaving),
            Self.stay(in: epochs, entered: Flag(), leaving: leaving),
        ]
        #expect(epochs.enter() == nil)
        leaving.raise()
        for stayer in stayers { stayer.join() }
        for _ in 0..<10 {
            let entered = Tally()
            ThreadGroup.run(1) { _ in
                guard let slot = epochs.enter() else { return }
                if slot.index < 2 { entered.add() }
                slot.leave()
            }
            #expect(entered.value == 1)
        }
        epochs.destroy()
    }
}
