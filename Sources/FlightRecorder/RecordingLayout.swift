import Instruments

// The file, in words of 8 bytes of this machine's order, all of it allocated on disk from the start:
//
//     0        ┌─────────────────────────────────────────────────────────────────────────┐
//              │ header: magic, version, size, slots, start, process, boot, check, state │  one page
//     512      ├─────────────────────────────────────────────────────────────────────────┤
//              │ directory: 2048 maps of 16 words                                        │
//              │   state, incarnation, created, shards, first ring, name's length, check,│
//              │   0, name (8 words)                                                     │
//     33,280   ├─────────────────────────────────────────────────────────────────────────┤
//              │ callers: 4608 names of 9 words: length and check, name (8 words)        │
//     74,752   ├─────────────────────────────────────────────────────────────────────────┤
//              │ rings: one per shard, 16 records of 4 words (512 bytes)                 │
//              │   a map of 256 shards takes 128 KiB, one of 1024 takes 512 KiB          │
//     size     └─────────────────────────────────────────────────────────────────────────┘
//
// Header, directory entries and names change seldom and each carries a check of its own. The state of the run and of an
// entry stand outside of it, since they change alone.

/// Where what stands in a recording. Places are counted in words.
enum RecordingLayout {
    /// "MWFLIGHT" as the bytes stand in the file.
    static let magic: UInt64 = 0x5448_4749_4c46_574d
    static let version: UInt64 = 1
    static let wordBytes = 8

    static let headerWords = 512
    /// What the header's check covers; the check follows, then the state.
    static let checkedHeaderWords = 10
    static let headerCheck = 10
    static let runState = 11

    static let entries = 2048
    static let entryWords = 16
    static let nameWords = 8
    static let longestName = nameWords * wordBytes

    static let callers = 4608
    static let callerWords = 1 + nameWords

    static let slotsPerRing = RingWriter.slots
    static let ringWords = RingWriter.ringWords
    static let ringsStart = 74_752

    /// No file can be smaller, and none is larger.
    static let smallestWords = ringsStart + ringWords
    static let largestWords = 1 << 23

    /// How many rings a file of so many bytes has room for.
    static func rings(inBytes bytes: Int) -> Int { (bytes / wordBytes - ringsStart) / ringWords }

    static func entry(_ index: Int) -> Int { headerWords + index * entryWords }
    static func caller(_ id: Int) -> Int { headerWords + entries * entryWords + id * callerWords }
    static func ring(_ index: Int) -> Int { ringsStart + index * ringWords }

    /// What the state of a run may be. Anything else is damage, and then the run counts as one that did not end.
    enum RunState {
        static let running: UInt64 = 0x474e_494e_4e55_5221
        static let endedInOrder: UInt64 = 0x4445_444e_4521_2121
    }

    /// What the state of a directory entry may be.
    enum EntryState {
        static let free: UInt64 = 0
        static let lent: UInt64 = 0x544e_454c
        static let givenBack: UInt64 = 0x4b43_4142
    }

    /// The check of a few words: FNV-1a over their bytes' words, spread once more.
    static func check(_ words: some Sequence<UInt64>) -> UInt64 {
        words.reduce(0xcbf2_9ce4_8422_2325) { hash, word in
            let mixed = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
            return mixed ^ mixed >> 32
        }
    }

    /// A name as words, its end filled with zeros; cut at a whole character when it is too long.
    static func words(of name: String) -> (length: Int, words: [UInt64]) {
        var text = name
        while text.utf8.count > longestName { text.removeLast() }
        var words = [UInt64](repeating: 0, count: nameWords)
        for (index, byte) in text.utf8.enumerated() { words[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8) }
        return (text.utf8.count, words)
    }

    /// The name in these words.
    static func name(_ words: ArraySlice<UInt64>, length: Int) -> String {
        let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) } }
        return String(decoding: bytes.prefix(length), as: UTF8.self)
    }
}
