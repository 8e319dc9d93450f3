import Instruments

/// The header of a recording.
struct RecordingHeader: Equatable, Sendable {
    let words: Int
    /// Nanoseconds since 1970 and of the monotonic clock, at one moment.
    let startedAt: UInt64
    let startedMonotonic: UInt64
    let process: UInt64
    /// The kernel's name for this boot, 16 bytes.
    let boot: (UInt64, UInt64)

    static func == (left: Self, right: Self) -> Bool { left.fields == right.fields }

    init(words: Int, startedAt: UInt64, startedMonotonic: UInt64, process: UInt64, boot: (UInt64, UInt64)) {
        self.words = words
        self.startedAt = startedAt
        self.startedMonotonic = startedMonotonic
        self.process = process
        self.boot = boot
    }

    /// What the check covers.
    var fields: [UInt64] {
        [
            RecordingLayout.magic, RecordingLayout.version, UInt64(words), UInt64(RecordingLayout.slotsPerRing),
            UInt64(RecordWords.count), startedAt, startedMonotonic, process, boot.0, boot.1,
        ]
    }

    /// nil when the check fails or the shape is not this release's; magic and version were looked at before.
    init?(_ words: ArraySlice<UInt64>) {
        let words = Array(words)
        let fields = words[..<RecordingLayout.checkedHeaderWords]
        guard RecordingLayout.check(fields) == words[RecordingLayout.headerCheck],
            let size = Int(exactly: words[2]),
            (RecordingLayout.smallestWords...RecordingLayout.largestWords).contains(size),
            words[3] == UInt64(RecordingLayout.slotsPerRing), words[4] == UInt64(RecordWords.count)
        else { return nil }
        self.init(
            words: size, startedAt: words[5], startedMonotonic: words[6], process: words[7],
            boot: (words[8], words[9]))
    }

    /// When something happened, by the monotonic ticks of 1024 ns since the run began.
    func nanosecondsSince1970(ofTicks ticks: UInt64) -> UInt64 { startedAt &+ ticks << 10 }
}
