import Glibc
import Instruments

/// What a recording holds, read from its words, whatever they are.
package struct Recording: Sendable {
    let header: RecordingHeader
    package let endedInOrder: Bool
    /// The newest life of each name.
    package let maps: [String: [RecordedOperation]]
    package let problems: [RecorderProblem]

    /// Reads a file as it stands, whoever writes it.
    package init(path: String) throws(RecorderProblem) {
        guard let (words, bytes) = try RecordingFile.read(path) else {
            throw .system(step: "read", path: path, errorNumber: ENOENT)
        }
        try self.init(words[...], bytes: bytes, path: path)
    }

    /// Reads a file's words, the first of which is number 0. `bytes` is the file's length.
    package init(_ words: ArraySlice<UInt64>, bytes: Int, path: String) throws(RecorderProblem) {
        guard words.first == RecordingLayout.magic, words.count > 1 else { throw .foreign(path: path) }
        guard words[1] == RecordingLayout.version else { throw .otherVersion(path: path, version: words[1]) }
        guard words.count >= RecordingLayout.headerWords,
            let header = RecordingHeader(words[..<RecordingLayout.runState])
        else { throw .damagedHeader(path: path) }
        guard header.words * RecordingLayout.wordBytes == bytes, words.count == header.words else {
            throw .wrongSize(path: path, bytes: bytes, expected: header.words * RecordingLayout.wordBytes)
        }
        self.header = header
        endedInOrder = words[RecordingLayout.runState] == RecordingLayout.RunState.endedInOrder
        let (entries, damaged) = Recording.entries(words)
        let callers = CallerNames { id in
            let place = RecordingLayout.caller(id)
            return words[place..<place + RecordingLayout.callerWords]
        }
        maps = entries.mapValues { entry in
            let rings = RecordingLayout.ring(entry.firstRing)..<RecordingLayout.ring(entry.firstRing + entry.shards)
            return Recording.operations(words[rings], of: entry.map, header, callers)
        }
        problems = damaged == 0 ? [] : [.damagedEntries(path: path, count: damaged)]
    }

    private static func entries(_ words: ArraySlice<UInt64>) -> (newest: [String: DirectoryEntry], damaged: Int) {
        let rings = RecordingLayout.rings(inBytes: words.count * RecordingLayout.wordBytes)
        var newest: [String: DirectoryEntry] = [:]
        var damaged = 0
        for index in 0..<RecordingLayout.entries {
            let place = RecordingLayout.entry(index)
            if words[place] == RecordingLayout.EntryState.free, words[place + DirectoryEntry.check] == 0 { continue }
            guard let entry = DirectoryEntry(words[place..<place + RecordingLayout.entryWords], rings: rings) else {
                damaged += 1
                continue
            }
            if let other = newest[entry.map], other.incarnation > entry.incarnation { continue }
            newest[entry.map] = entry
        }
        return (newest, damaged)
    }

    /// The whole records of a map's rings. In the order in which they happened as far as the clock tells, each shard's
    /// own in the order of their numbers.
    static func operations(
        _ rings: ArraySlice<UInt64>, of map: String, _ header: RecordingHeader, _ callers: borrowing CallerNames
    ) -> [RecordedOperation] {
        var operations: [RecordedOperation] = []
        for slot in stride(from: rings.startIndex, to: rings.endIndex, by: RecordWords.count) {
            let words = (rings[slot], rings[slot + 1], rings[slot + 2], rings[slot + 3])
            let shard = (slot - rings.startIndex) / RecordingLayout.ringWords
            guard let record = RecordWords(words), let outcome = RecordedOutcome(rawValue: record.outcome) else {
                continue
            }
            operations.append(
                RecordedOperation(
                    timeNanosecondsSince1970: header.nanosecondsSince1970(ofTicks: record.ticks),
                    caller: callers.name(record.caller) ?? "thread \(record.thread)", thread: record.thread, map: map,
                    shard: shard, number: record.number, operation: OperationCode(rawValue: record.operation),
                    keyHash: record.keyHash, durationNanoseconds: record.durationNanoseconds, outcome: outcome))
        }
        return operations.sorted { left, right in
            (left.timeNanosecondsSince1970, left.shard, left.number)
                < (right.timeNanosecondsSince1970, right.shard, right.number)
        }
    }
}

/// The names of callers, read as they are asked for.
struct CallerNames {
    /// The words of a caller's place.
    let words: (Int) -> ArraySlice<UInt64>

    /// nil for nobody, and for a name that is missing or damaged.
    func name(_ id: UInt32) -> String? {
        guard id > 0, id < RecordingLayout.callers else { return nil }
        let words = Array(words(Int(id)))
        let length = Int(words[0] & 0xff)
        guard (1...RecordingLayout.longestName).contains(length), words[0] == CallerNames.head(length, words[1...])
        else { return nil }
        return RecordingLayout.name(words[1...], length: length)
    }

    /// The first word of a caller's place: the length of the name, and the check of both.
    static func head(_ length: Int, _ name: some Sequence<UInt64>) -> UInt64 {
        RecordingLayout.check([UInt64(length)] + name) & ~0xff | UInt64(length)
    }
}
