import TestSupport
import Testing

@testable import InstrumentedMaps

@Suite("Steps of growth and shrinking")
struct StepTests {
    @Test("no operation moves more than 64 slots, from the first insert to the last delete")
    func atMost64() {
        var table = ByteTable()
        var generator = SeededGenerator(seed: TestSeed.value)
        var (moved, most) = (UInt64(0), UInt64(0))
        func note() {
            most = max(most, table.slotsMoved - moved)
            moved = table.slotsMoved
        }
        let count = 200_000
        for number in 0..<count {
            let key = key(number)
            _ = table.store(key.span, KeyHash(key.span), value: key.span, for: number % 3 == 0 ? 60 : nil)
            note()
        }
        for number in (0..<count).shuffled(using: &generator) {
            let key = key(number)
            _ = table.remove(key.span, KeyHash(key.span))
            note()
        }
        #expect(most <= 64, "\(TestSeed.note)")
        #expect(moved > UInt64(count), "it has grown and shrunk")
    }
}
