// One operation in half a cache line, four words that are written by plain relaxed stores:
//
//      63        48 47                                                  0
//     ┌──────────────────────────────────────────────────────────────────┐
//   0 │ key hash                                                         │
//     ├────────────┬─────────────────────────────────────────────────────┤
//   1 │ duration   │ time since the run began, in 1024 ns: 9 years       │
//     ├────────────┴───────────────────────┬───────────────┬─────────┬───┤
//   2 │ number in the shard, from 1   44   │ caller    13  │ oper. 5 │ 2 │ outcome
//     ├────────────────────────────────────┼───────────────┴─────────┴───┤
//   3 │ check                         32   │ thread                  32  │
//     └────────────────────────────────────┴─────────────────────────────┘
//
// The check covers all other bits, so no order of the stores matters. A record is half written when SIGKILL comes between
// two of its stores, and a mixture when a writer was overtaken by a whole round of the ring: either way the check fails
// (all but once in 2³²) and the record is skipped. So are one with a wrong bit, and the zeros of a slot that was never written;
// of several wrong bits in one record, two high ones may make up for each other.
//
// A duration is a number of 11 bits and an exponent of 5: within 0.1 %, up to 73 minutes.

/// A record's fields and its words.
@usableFromInline
package struct RecordWords: Equatable, Sendable {
    @inlinable package static var count: Int { 4 }
    @inlinable package static var callerMask: UInt64 { 1 << 13 - 1 }
    @inlinable package static var timeMask: UInt64 { 1 << 48 - 1 }

    @usableFromInline package let words: (UInt64, UInt64, UInt64, UInt64)

    @usableFromInline
    package static func == (left: Self, right: Self) -> Bool { left.words == right.words }

    /// Cost: some 3 ns.
    @inlinable
    @inline(__always)
    package init(
        keyHash: UInt64, ticks: UInt64, durationNanoseconds: UInt64, number: UInt64, caller: UInt32,
        operation: UInt8, outcome: UInt8, thread: UInt32
    ) {
        let time = RecordWords.durationCode(durationNanoseconds) << 48 | ticks & RecordWords.timeMask
        let what =
            number << 20 | (UInt64(caller) & RecordWords.callerMask) << 7 | UInt64(operation & 31) << 2
            | UInt64(outcome & 3)
        let check = RecordWords.check(keyHash, time, what, thread)
        words = (keyHash, time, what, check << 32 | UInt64(thread))
    }

    /// nil when the words are no whole record.
    package init?(_ words: (UInt64, UInt64, UInt64, UInt64)) {
        let thread = UInt32(truncatingIfNeeded: words.3)
        guard RecordWords.check(words.0, words.1, words.2, thread) == words.3 >> 32 else { return nil }
        self.words = words
    }

    package var keyHash: UInt64 { words.0 }
    package var ticks: UInt64 { words.1 & RecordWords.timeMask }
    package var durationNanoseconds: UInt64 {
        let code = words.1 >> 48
        return (code & 2047) << (code >> 11)
    }
    package var number: UInt64 { words.2 >> 20 }
    package var caller: UInt32 { UInt32(words.2 >> 7 & RecordWords.callerMask) }
    package var operation: UInt8 { UInt8(words.2 >> 2 & 31) }
    package var outcome: UInt8 { UInt8(words.2 & 3) }
    package var thread: UInt32 { UInt32(truncatingIfNeeded: words.3) }

    @inlinable
    @inline(__always)
    package static func durationCode(_ nanoseconds: UInt64) -> UInt64 {
        if nanoseconds < 2048 { return nanoseconds }
        let bounded = min(nanoseconds, 1 << 42 - 1)
        let exponent = UInt64(53 - bounded.leadingZeroBitCount)
        return exponent << 11 | bounded >> exponent
    }

    /// A sum of products with odd numbers: whichever bits of a word are wrong, the upper half of its product is too.
    @inlinable
    @inline(__always)
    package static func check(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ thread: UInt32) -> UInt64 {
        let sum =
            (first ^ 0xa076_1d64_78bd_642f) &* 0xe703_7ed1_a0b4_28db &+ second &* 0x8ebc_6af0_9c88_c6e3
            &+ third &* 0x5899_65cc_7537_4cc3 &+ UInt64(thread) &* 0x1d8e_4e27_c47d_124f
        return sum >> 32
    }
}
