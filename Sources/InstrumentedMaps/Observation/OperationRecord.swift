import CSystem
import Instruments

// Most recorded operations are watched for nothing else. They go straight to their shard as those that nobody watches, though
// not straight through it (`ByteMap+Straight.swift`), and write their record there, of a few words in registers:
//
//     hash, shard ─▶ [guard: index line asked for ─▶ key hash, time ─▶ table ─▶ record ─▶ counters] ─▶ caller
//
// Which maps do so is a type, so that the others' code has no branch for it.
//
// What it costs is instructions, 150 of its own beside the 190 of a store, and some 70 of the kernel's clock: a processor
// waits for the memory of as many operations at once as it has instructions in flight, some 300. The clock is half of it.
// Without the early look at the index an operation would cost 60 ns more. Tried, and no faster: to ask for the ring's line too,
// whose place in the cache did not matter; to ask for the time after the table's answer (30 ns slower); the clock without the C
// library between.

/// Whether a map's straight operations write records.
protocol RecordKeeping {
    static var isOn: Bool { get }
}

enum NoRecords: RecordKeeping {
    static var isOn: Bool { @inline(__always) get { false } }
}

enum RingRecords: RecordKeeping {
    static var isOn: Bool { @inline(__always) get { true } }
}

/// Where an operation is to be recorded: in the ring of its shard.
struct RecordPlace {
    let rings: RingWriter
    let shard: Int
}

/// The record of an operation that is inside its shard.
struct OperationRecord {
    private let place: RecordPlace
    private let keyHash: UInt64
    private let monotonic: UInt64

    /// Works out what the record will need, for which there is time now: the table's memory has just been asked for.
    @inline(__always)
    init(_ place: RecordPlace, _ key: Span<UInt8>) {
        self.place = place
        keyHash = FNV1a64.hash(key)
        monotonic = MonotonicClock.coarseNanoseconds()
    }

    /// Writes it. A load may not be alone in its shard, a write always is.
    @inline(__always)
    func write(_ operation: ObservedOperation, _ outcome: OperationOutcome, isAlone: Bool = true) {
        place.rings.write(
            shard: place.shard, operation: operation.rawValue, outcome: outcome.rawValue, keyHash: keyHash,
            monotonic: monotonic, durationNanoseconds: 0, thread: mapwatch_thread_id(),
            caller: mapwatch_current_caller(), isAlone: isAlone)
    }
}
