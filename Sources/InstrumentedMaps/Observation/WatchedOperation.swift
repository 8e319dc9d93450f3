import CSystem
import Instruments

/// One operation that is watched.
@safe
struct WatchedOperation {
    /// The keys of a slice of deletes, each of which is an event of its own.
    private final class Deletes {
        var list: [(keyHash: UInt64, hit: Bool)] = []
    }

    // Safety: the gate that makes the operation keeps the watch. A counted reference costs two locked instructions.
    unowned(unsafe) let map: MapWatch
    var operation: ObservedOperation
    let caller = Caller.current
    let thread = mapwatch_thread_id()
    let isTimed: Bool
    /// Whether anybody is told of it, or a record is written.
    var isReported: Bool
    /// 0 as long as nobody had to know.
    private(set) var started: UInt64
    var shard = 0
    private(set) var keyHash: UInt64 = 0
    // Safety: the key is lent for the whole operation. nil once it is hashed, or where there is none.
    private var key: UnsafeBufferPointer<UInt8>?
    var outcome = OperationOutcome.hit
    // Safety: made by `note`, given back by `report`, which follows wherever `note` keeps something.
    private var deletes: Unmanaged<Deletes>?

    @inline(__always)
    init(_ operation: ObservedOperation, of map: MapWatch, isTimed: Bool, isReported: Bool) {
        self.isTimed = isTimed
        self.isReported = isReported
        unsafe self.map = map
        self.operation = operation
        unsafe key = nil
        unsafe deletes = nil
        started =
            isTimed
            ? MonotonicClock.nanoseconds() : map.rings == nil ? MonotonicClock.coarseNanoseconds() : 0
    }

    /// As one of the two of a conflict.
    var party: MapConflict.Party {
        MapConflict.Party(caller: caller, thread: thread, operation: operation, keyHash: keyHash, since: started)
    }

    @inline(__always)
    mutating func aims(at shard: Int, _ key: Span<UInt8>) {
        self.shard = shard
        if unsafe map.rings == nil {
            keyHash = FNV1a64.hash(key)
        } else {
            // Safety: see `key`.
            unsafe self.key = key.withUnsafeBufferPointer { unsafe $0 }
        }
    }

    mutating func note(_ keyHash: UInt64, hit: Bool) {
        guard unsafe map.rings == nil else {
            self.keyHash = keyHash
            outcome = hit ? .hit : .miss
            isReported = true
            record(isAlone: true)
            // The slice itself is no event.
            isReported = false
            return
        }
        guard unsafe map.observer != nil else { return }
        let made = unsafe deletes ?? .passRetained(Deletes())
        unsafe deletes = made
        unsafe made.takeUnretainedValue().list.append((keyHash, hit))
    }

    // MARK: - Into the ring

    /// Works out what the record will need.
    @inline(__always)
    mutating func prepare() {
        if let key = unsafe key {
            keyHash = unsafe FNV1a64.hash(key.span)
            unsafe self.key = nil
        }
        if started == 0 { started = MonotonicClock.coarseNanoseconds() }
    }

    /// Writes the record; by whoever is inside the shard, and with `isAlone` nobody else is.
    @inline(__always)
    mutating func record(isAlone: Bool) {
        guard isReported, let rings = unsafe map.rings, operation != .load || rings.takesReads else { return }
        prepare()
        // Of one clock for all, so that the times of a shard's records are in the order of their numbers.
        let monotonic = isTimed ? MonotonicClock.coarseNanoseconds() : started
        unsafe rings.write(
            shard: shard, operation: operation.rawValue, outcome: outcome.rawValue, keyHash: keyHash,
            monotonic: monotonic, durationNanoseconds: isTimed ? MonotonicClock.nanoseconds() &- started : 0,
            thread: thread, caller: caller.id, isAlone: isAlone && !map.ringsAreShared)
    }

    // MARK: - To the observer

    /// After the operation, with every lock open.
    @inline(__always)
    mutating func report(to map: MapWatch) {
        if map.rings != nil {
            map.introduce(caller)
        } else if let observer = map.observer {
            tell(observer)
        }
    }

    @inline(never)
    private mutating func tell(_ observer: any OperationObserver) {
        let deletes = unsafe deletes?.takeRetainedValue()
        unsafe self.deletes = nil
        guard isReported else { return }
        let duration = isTimed ? MonotonicClock.nanoseconds() &- started : 0
        guard operation == .delete, let deletes else {
            return observer.didOperate(event(keyHash, outcome, duration))
        }
        for delete in deletes.list {
            observer.didOperate(event(delete.keyHash, delete.hit ? .hit : .miss, duration))
        }
    }

    private func event(_ keyHash: UInt64, _ outcome: OperationOutcome, _ duration: UInt64) -> OperationEvent {
        OperationEvent(
            operation: operation, shard: shard, keyHash: keyHash, caller: caller, thread: thread, started: started,
            duration: duration, outcome: outcome)
    }
}
