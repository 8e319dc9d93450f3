import Instruments
import Testing

@Suite("Layout")
struct LayoutTests {
    @Test("the padding keeps its neighbours two cache lines of 64 bytes apart")
    func paddingSpansTwoLines() {
        #expect(MemoryLayout<CacheLinePadding>.size >= 128)
        #expect(MemoryLayout<CacheLinePadding>.stride >= 128)
    }

    @Test("a counter takes one word, and a meter keeps its waiters apart from the cells on both sides")
    func waitersStandAlone() {
        #expect(MemoryLayout<Counter>.stride == 8)
        // One cell, a gap before what waiters write, and one behind it: what follows the meter is hot too.
        #expect(MemoryLayout<LockMeter>.size >= 8 + 128 + (1 + 2 + 13 + 3) * 8 + 128)
        #expect(MemoryLayout<LockMeter>.size <= 512)
    }
}
