public import Instruments

/// The rings of one map, lent to it for its life.
///
/// Concurrency: any thread. The last reference gives the rings back; what stands in them stays readable until another map
/// needs the room.
public final class MapRings: Sendable {
    public var shards: Int { writer.shards }
    /// Who writes them; valid as long as this object.
    public let writer: RingWriter
    private let recorder: FlightRecorder
    private let place: RingSpace.Place

    init(_ recorder: FlightRecorder, _ place: RingSpace.Place, _ writer: RingWriter) {
        self.recorder = recorder
        self.place = place
        self.writer = writer
    }

    deinit { recorder.giveBack(place) }

    /// Records one operation. `monotonic` is `MonotonicClock`'s, coarse or not; `durationNanoseconds` 0 says that nobody
    /// timed it; `caller` is a number that ``FlightRecorder/name(_:_:)`` knows, or 0.
    ///
    /// Any thread; no lock, no call to the system, no memory. Cost: one locked instruction and the two lines that the
    /// shard's cursor and the slot are in. Not beside operations for which the map itself writes records: see
    /// `OperationObserver.rings`.
    public func record(
        shard: Int, operation: OperationCode, outcome: RecordedOutcome, keyHash: UInt64, monotonic: UInt64,
        durationNanoseconds: UInt64, thread: UInt32, caller: UInt32
    ) {
        precondition(writer.holds(shard), "shard \(shard) of \(shards)")
        writer.write(
            shard: shard, operation: operation.rawValue, outcome: outcome.rawValue, keyHash: keyHash,
            monotonic: monotonic, durationNanoseconds: durationNanoseconds, thread: thread, caller: caller,
            isAlone: false)
    }
}
