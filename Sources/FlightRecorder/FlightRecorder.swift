import Glibc
public import Instruments
import Synchronization

/// The last operations of each shard of each map, in a file that survives the process.
///
/// Concurrency: any thread. Lending rings takes a lock, recording takes none (see ``MapRings``).
@safe
public final class FlightRecorder: Sendable {
    /// 16 MiB: the rings of 123 maps of 256 shards.
    public static let defaultBytes = 1 << 24

    private struct State: Sendable {
        var space: RingSpace
        var lent: [RingSpace.Place: DirectoryEntry] = [:]
        /// Recorded on rings that were given back since.
        var operationsBefore: UInt64 = 0
    }

    /// Where the recording is.
    public let path: String
    private let directory: StorageDirectory
    private let memory: RecordingMemory
    private let header: RecordingHeader
    private let secondsSince1970: @Sendable () -> Double
    private let state: LockedState<State>
    // Safety: a cursor for each ring, `RingWriter.cursorStride` words apart, as long as `self`; only atomic accesses. Pages
    // that nobody has touched take no memory.
    private nonisolated(unsafe) let cursors: UnsafeMutablePointer<Atomic<UInt64>>
    // Safety: a word for each caller, 1 once the file has the name; as above.
    private nonisolated(unsafe) let named: UnsafeMutablePointer<Atomic<UInt64>>

    init(
        _ directory: StorageDirectory, bytes: Int, clocks: RecorderClocks
    ) throws(RecorderProblem) {
        let words = bytes / RecordingLayout.wordBytes
        precondition(
            (RecordingLayout.smallestWords...RecordingLayout.largestWords).contains(words),
            "a recording has \(RecordingLayout.smallestWords) to \(RecordingLayout.largestWords) words, not \(words)")
        self.directory = directory
        path = directory.recording
        secondsSince1970 = clocks.secondsSince1970
        header = RecordingHeader(
            words: words, startedAt: UInt64(clocks.secondsSince1970() * 1e9),
            startedMonotonic: clocks.monotonicNanoseconds(), process: UInt64(getpid()), boot: Self.bootName())
        let file = try directory.create(directory.unfinished, bytes: words * RecordingLayout.wordBytes)
        defer { close(file) }
        memory = try RecordingMemory(file, words: words, path: directory.unfinished)
        let fields = header.fields
        memory.write(
            fields + [RecordingLayout.check(fields), RecordingLayout.RunState.running], at: 0)
        try directory.rename(directory.unfinished, to: directory.recording)
        let rings = RecordingLayout.rings(inBytes: words * RecordingLayout.wordBytes)
        state = LockedState(State(space: RingSpace(rings: rings, entries: RecordingLayout.entries)))
        unsafe cursors = Self.zeros(rings * RingWriter.cursorStride)
        unsafe named = Self.zeros(RecordingLayout.callers)
    }

    deinit {
        unsafe free(cursors)
        unsafe free(named)
        directory.close()
    }

    /// The run ends in order: the recording is no evidence of anything. Nothing may be recorded after it.
    public func endInOrder() { memory[RecordingLayout.runState] = RecordingLayout.RunState.endedInOrder }

    // MARK: - Maps

    /// Rings for a map, as long as the caller keeps them. Rings of maps that are gone are reused when no others are left.
    ///
    /// `takesReads` says whether whoever writes for the map writes its loads down.
    public func lend(
        map: String, incarnation: UInt64, shards: Int, takesReads: Bool = true
    ) throws(RecorderProblem) -> MapRings {
        let place = try state.withLock { state throws(RecorderProblem) in
            guard shards > 0, let (place, overwritten) = state.space.take(shards) else {
                let refusal = RecorderProblem.full(
                    map: map, shards: shards, left: state.space.largestPiece, rings: state.space.rings)
                throw refusal
            }
            for old in overwritten { memory.write([0], at: RecordingLayout.entry(old.entry)) }
            clear(place)
            let entry = DirectoryEntry(
                map: map, incarnation: incarnation, createdAt: UInt64(secondsSince1970() * 1e9), shards: shards,
                firstRing: place.rings.lowerBound)
            memory.write(entry.words, at: RecordingLayout.entry(place.entry))
            state.lent[place] = entry
            return place
        }
        let first = place.rings.lowerBound
        // Safety: the map's rings and cursors lie one after the other, and nobody else has them.
        let writer = unsafe RingWriter(
            shards: shards, takesReads: takesReads, startedMonotonic: header.startedMonotonic,
            rings: memory.ring(first), cursors: cursors + first * RingWriter.cursorStride,
            named: UnsafeBufferPointer(start: named, count: RecordingLayout.callers))
        return MapRings(self, place, writer)
    }

    /// The rings of a map that is gone.
    func giveBack(_ place: RingSpace.Place) {
        state.withLock { state in
            memory[RecordingLayout.entry(place.entry)] = RecordingLayout.EntryState.givenBack
            state.operationsBefore += operations(place)
            state.lent[place] = nil
            state.space.giveBack(place)
        }
    }

    /// Nobody has these rings now.
    private func clear(_ place: RingSpace.Place) {
        memory.write([UInt64](repeating: 0, count: RecordingLayout.entryWords), at: RecordingLayout.entry(place.entry))
        for word in RecordingLayout.ring(place.rings.lowerBound)..<RecordingLayout.ring(place.rings.upperBound) {
            memory[word] = 0
        }
        for ring in place.rings { unsafe cursors[ring * RingWriter.cursorStride].store(0, ordering: .relaxed) }
    }

    // MARK: - Callers

    /// Writes a caller's name down, for all records of this number before and after; the first name stays. Numbers are
    /// 1 to 4607; others are shown by their thread.
    public func name(_ caller: UInt32, _ name: String) {
        guard caller > 0, caller < RecordingLayout.callers, !name.isEmpty else { return }
        state.withLock { _ in
            guard unsafe named[Int(caller)].exchange(1, ordering: .relaxed) == 0 else { return }
            let (length, words) = RecordingLayout.words(of: name)
            memory.write([CallerNames.head(length, words)] + words, at: RecordingLayout.caller(Int(caller)))
        }
    }

    // MARK: - Reading

    /// What the recorder holds of a map now, in the order of ``PreviousRun/operations``; empty for a map that is not
    /// recorded. Takes no lock that an operation takes.
    public func operations(of map: String) -> [RecordedOperation] {
        let newest = state.withLock { state in
            state.lent.values.filter { $0.map == map }.max { $0.incarnation < $1.incarnation }
        }
        guard let entry = newest else { return [] }
        let memory = memory
        let rings = RecordingLayout.ring(entry.firstRing)..<RecordingLayout.ring(entry.firstRing + entry.shards)
        return Recording.operations(
            memory.copy(rings), of: map, header,
            CallerNames { id in
                let place = RecordingLayout.caller(id)
                return memory.copy(place..<place + RecordingLayout.callerWords)
            })
    }

    /// Operations recorded in this run.
    public var operationsRecorded: UInt64 {
        state.withLock { state in
            state.lent.keys.reduce(state.operationsBefore) { $0 &+ operations($1) }
        }
    }

    /// Maps that are recorded now.
    public var mapsRecorded: Int { state.withLock { $0.lent.count } }

    private func operations(_ place: RingSpace.Place) -> UInt64 {
        place.rings.reduce(0) { unsafe $0 &+ cursors[$1 * RingWriter.cursorStride].load(ordering: .relaxed) }
    }

    // MARK: - The system

    private static func zeros(_ count: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        // Safety: zeros are atomics of 0; without memory for them nothing else would go on either.
        guard let memory = unsafe calloc(count, 8) else { fatalError("no memory for \(count) cursors") }
        return unsafe memory.bindMemory(to: Atomic<UInt64>.self, capacity: count)
    }

    /// The kernel's name for this boot; zeros where it has none.
    private static func bootName() -> (UInt64, UInt64) {
        let file = unsafe open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return (0, 0) }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 36)
        // Safety: at most the array's bytes are written.
        guard unsafe text.withUnsafeMutableBytes({ unsafe read(file, $0.baseAddress, $0.count) }) == 36 else {
            return (0, 0)
        }
        let digits = text.filter { $0 != UInt8(ascii: "-") }.map { Character(UnicodeScalar($0)) }
        return (
            UInt64(String(digits.prefix(16)), radix: 16) ?? 0, UInt64(String(digits.suffix(16)), radix: 16) ?? 0
        )
    }
}

/// The clocks that a recording is dated by.
public struct RecorderClocks: Sendable {
    let secondsSince1970: @Sendable () -> Double
    let monotonicNanoseconds: @Sendable () -> UInt64

    /// `monotonicNanoseconds` must be the clock of the operations' instants.
    public init(
        secondsSince1970: @escaping @Sendable () -> Double,
        monotonicNanoseconds: @escaping @Sendable () -> UInt64 = MonotonicClock.nanoseconds
    ) {
        self.secondsSince1970 = secondsSince1970
        self.monotonicNanoseconds = monotonicNanoseconds
    }
}
