import Instruments
import TestSupport
import Testing

@Suite("One record")
struct RecordWordsTests {
    private static func random(_ numbers: inout SeededGenerator) -> RecordWords {
        RecordWords(
            keyHash: numbers.next(), ticks: numbers.next() >> 16, durationNanoseconds: numbers.next() >> 24,
            number: 1 + numbers.next() >> 21, caller: UInt32(numbers.next() >> 51),
            operation: UInt8(numbers.next() >> 59),
            outcome: UInt8(numbers.next() >> 62), thread: UInt32(truncatingIfNeeded: numbers.next()))
    }

    @Test("every field comes back")
    func fields() throws {
        let record = RecordWords(
            keyHash: .max, ticks: 1 << 48 - 1, durationNanoseconds: 2047, number: 1 << 44 - 1, caller: 8191,
            operation: 31, outcome: 3, thread: .max)
        let read = try #require(RecordWords(record.words))
        #expect(read.keyHash == .max)
        #expect(read.ticks == 1 << 48 - 1)
        #expect(read.durationNanoseconds == 2047)
        #expect(read.number == 1 << 44 - 1)
        #expect((read.caller, read.operation, read.outcome, read.thread) == (8191, 31, 3, .max))
    }

    @Test(
        "a duration comes back within a thousandth, the longest as 73 minutes",
        arguments: [0, 1, 2047, 2048, 4095, 4096, 1_000_000, 123_456_789, 4_000_000_000_000, UInt64.max])
    func durations(nanoseconds: UInt64) {
        let read = RecordWords(
            keyHash: 0, ticks: 0, durationNanoseconds: nanoseconds, number: 1, caller: 0, operation: 1, outcome: 0,
            thread: 1
        ).durationNanoseconds
        let bounded = min(nanoseconds, 1 << 42 - 1)
        #expect(read <= bounded && bounded - read <= bounded / 1000, "\(nanoseconds) became \(read)")
    }

    @Test("a slot that was never written is no record")
    func zeros() { #expect(RecordWords((0, 0, 0, 0)) == nil) }

    @Test("each bit of a record matters")
    func flips() {
        var numbers = SeededGenerator(seed: TestSeed.value)
        for _ in 0..<50 {
            let words = Self.random(&numbers).words
            #expect(RecordWords(words) != nil)
            for bit in 0..<256 {
                var flipped = [words.0, words.1, words.2, words.3]
                flipped[bit / 64] ^= 1 << UInt64(bit % 64)
                let read = RecordWords((flipped[0], flipped[1], flipped[2], flipped[3]))
                #expect(read == nil, "bit \(bit) of \(words), \(TestSeed.note)")
            }
        }
    }

    @Test("a record that is part one, part another is none, wherever the writer stopped")
    func halves() {
        var numbers = SeededGenerator(seed: TestSeed.value)
        for _ in 0..<500 {
            let (old, new) = (Self.random(&numbers).words, Self.random(&numbers).words)
            #expect(RecordWords((new.0, old.1, old.2, old.3)) == nil, "\(TestSeed.note)")
            #expect(RecordWords((new.0, new.1, old.2, old.3)) == nil, "\(TestSeed.note)")
            #expect(RecordWords((new.0, new.1, new.2, old.3)) == nil, "\(TestSeed.note)")
            #expect(RecordWords((old.0, new.1, new.2, new.3)) == nil, "\(TestSeed.note)")
        }
    }
}
