import Synchronization

// How several threads write one ring: each takes a number by an atomic add, and with it the slot `(number - 1) % 16`.
//
//     cursor of the shard   41 ──▶ 42         in a cache line of its own, on the heap: it need not survive
//     ring of the shard     [ 33 | 34 | … | 41 | 42: being written | 27 | … | 32 ]       oldest: 27
//
// Nobody waits. A writer that stops for sixteen numbers of others may be overtaken and leave a mixture of two records,
// which the check finds. So of a shard's last 16 operations those are missing that were half written when the process was
// killed: one for each thread that was just recording, at the most.

/// The rings of one map, lent to it for its life.
///
/// Concurrency: any thread. The last reference gives the rings back; what stands in them stays readable until another map
/// needs the room.
@safe
public final class MapRings: Sendable {
    /// How far apart the cursors are, in words: two cache lines, because the prefetcher of x86 moves them in pairs.
    static let cursorStride = 16

    public let shards: Int
    private let recorder: FlightRecorder
    private let place: RingSpace.Place
    private let startedMonotonic: UInt64
    // Safety: the recorder keeps both for as long as it lives; only atomic accesses.
    private nonisolated(unsafe) let rings: UnsafeMutablePointer<Atomic<UInt64>>
    private nonisolated(unsafe) let cursors: UnsafeMutablePointer<Atomic<UInt64>>

    init(
        _ recorder: FlightRecorder, _ place: RingSpace.Place, startedMonotonic: UInt64,
        rings: UnsafeMutablePointer<Atomic<UInt64>>, cursors: UnsafeMutablePointer<Atomic<UInt64>>
    ) {
        self.recorder = recorder
        self.place = place
        self.startedMonotonic = startedMonotonic
        shards = place.rings.count
        unsafe self.rings = rings
        unsafe self.cursors = cursors
    }

    deinit { recorder.giveBack(place) }

    /// Records one operation. `monotonic` is `MonotonicClock`'s, coarse or not; `durationNanoseconds` 0 says that nobody
    /// timed it; `caller` is a number that ``FlightRecorder/name(_:_:)`` knows, or 0.
    ///
    /// Any thread; no lock, no call to the system, no memory. Cost: one locked instruction and the two lines that the
    /// shard's cursor and the slot are in.
    public func record(
        shard: Int, operation: OperationCode, outcome: RecordedOutcome, keyHash: UInt64, monotonic: UInt64,
        durationNanoseconds: UInt64, thread: UInt32, caller: UInt32
    ) {
        precondition(shard >= 0 && shard < shards, "shard \(shard) of \(shards)")
        // Safety: the shard is one of those that the pointers were lent for.
        let number = unsafe cursors[shard &* MapRings.cursorStride].wrappingAdd(1, ordering: .relaxed).newValue
        let slot = Int(truncatingIfNeeded: (number &- 1) % UInt64(RecordingLayout.slotsPerRing))
        let record = RecordWords(
            keyHash: keyHash, ticks: (monotonic &- startedMonotonic) >> 10, durationNanoseconds: durationNanoseconds,
            number: number, caller: caller, operation: operation.rawValue, outcome: outcome.rawValue, thread: thread)
        unsafe record.store(to: rings + (shard &* RecordingLayout.ringWords &+ slot &* RecordWords.count))
    }
}

extension RecordWords {
    @inline(__always)
    func store(to slot: UnsafeMutablePointer<Atomic<UInt64>>) {
        // Safety: the slot has four words.
        unsafe slot[0].store(words.0, ordering: .relaxed)
        unsafe slot[1].store(words.1, ordering: .relaxed)
        unsafe slot[2].store(words.2, ordering: .relaxed)
        unsafe slot[3].store(words.3, ordering: .relaxed)
    }
}
