/// A map's entry in the directory.
struct DirectoryEntry: Equatable, Sendable {
    /// Which word of it is the check.
    static let check = 6

    var isLent: Bool
    let map: String
    let incarnation: UInt64
    /// Nanoseconds since 1970.
    let createdAt: UInt64
    let shards: Int
    let firstRing: Int

    init(map: String, incarnation: UInt64, createdAt: UInt64, shards: Int, firstRing: Int) {
        isLent = true
        self.map = map
        self.incarnation = incarnation
        self.createdAt = createdAt
        self.shards = shards
        self.firstRing = firstRing
    }

    /// The entry's words, the state first.
    var words: [UInt64] {
        let (length, name) = RecordingLayout.words(of: map)
        let fields = [incarnation, createdAt, UInt64(shards), UInt64(firstRing), UInt64(length)]
        let state = isLent ? RecordingLayout.EntryState.lent : RecordingLayout.EntryState.givenBack
        return [state] + fields + [RecordingLayout.check(fields + name), 0] + name
    }

    /// nil when the words are damaged, or name rings that a file with room for `rings` has not got.
    init?(_ words: ArraySlice<UInt64>, rings: Int) {
        let words = Array(words)
        guard words.count == RecordingLayout.entryWords,
            RecordingLayout.check(words[1...5] + words[8...]) == words[DirectoryEntry.check],
            let length = Int(exactly: words[5]), (1...RecordingLayout.longestName).contains(length),
            let shards = Int(exactly: words[3]), let firstRing = Int(exactly: words[4]), shards > 0, firstRing >= 0,
            shards <= rings, firstRing <= rings - shards
        else { return nil }
        isLent = words[0] != RecordingLayout.EntryState.givenBack
        map = RecordingLayout.name(words[8...], length: length)
        incarnation = words[1]
        createdAt = words[2]
        self.shards = shards
        self.firstRing = firstRing
    }
}
