public import Synchronization

// How several threads write one ring: each takes a number, and with it the slot `(number - 1) % 16`.
//
//     cursor of the shard   41 ──▶ 42         in a cache line of its own, on the heap: it need not survive
//     ring of the shard     [ 33 | 34 | … | 41 | 42: being written | 27 | … | 32 ]       oldest: 27
//
// Whoever has the shard to itself takes the number by a plain increment; everybody else by an atomic add. Nobody waits. A
// writer that stops for sixteen numbers of others may be overtaken and leave a mixture of two records, which the check
// finds. So of a shard's last 16 operations those are missing that were half written when the process was killed: one for
// each thread that was just recording, at the most.

/// Writes the last operations of one map's shards into rings of somebody else's memory.
///
/// Concurrency: any thread, as long as whoever lent the rings keeps them.
@safe
public struct RingWriter: Sendable {
    /// Records of a ring.
    @inlinable package static var slots: Int { 16 }
    /// How far apart rings are, in words.
    @inlinable package static var ringWords: Int { slots * RecordWords.count }
    /// How far apart the cursors are, in words: two cache lines, because the prefetcher of x86 moves them in pairs.
    @inlinable package static var cursorStride: Int { 16 }

    @usableFromInline package let shards: Int
    /// Whether loads are written down too.
    @usableFromInline package let takesReads: Bool
    @usableFromInline package let startedMonotonic: UInt64
    // Safety: memory of `shards` rings and cursors, kept by whoever has made the writer; only atomic accesses.
    @usableFromInline package nonisolated(unsafe) let rings: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline package nonisolated(unsafe) let cursors: UnsafeMutablePointer<Atomic<UInt64>>

    // Safety: as above, a word for each caller: not 0 once the name of the caller is kept.
    @usableFromInline package nonisolated(unsafe) let named: UnsafeBufferPointer<Atomic<UInt64>>

    package init(
        shards: Int, takesReads: Bool, startedMonotonic: UInt64, rings: UnsafeMutablePointer<Atomic<UInt64>>,
        cursors: UnsafeMutablePointer<Atomic<UInt64>>, named: UnsafeBufferPointer<Atomic<UInt64>>
    ) {
        unsafe self.named = named
        self.shards = shards
        self.takesReads = takesReads
        self.startedMonotonic = startedMonotonic
        unsafe self.rings = rings
        unsafe self.cursors = cursors
    }

    /// Whether `shard` is one of those that may be written. Asked once by whoever writes many records.
    @inlinable
    package func holds(_ shard: Int) -> Bool { UInt(bitPattern: shard) < UInt(bitPattern: shards) }

    /// Whether the name of a caller is kept already, or never will be. Cost: a load.
    @inlinable
    @inline(__always)
    public func knows(_ caller: UInt32) -> Bool {
        guard unsafe Int(caller) < named.count else { return true }
        return unsafe named[Int(caller)].load(ordering: .relaxed) != 0
    }

    /// Writes one record of a `shard` that it ``holds(_:)``; `isAlone` says that nobody else writes one of this shard at the
    /// same time. `monotonic` is of `MonotonicClock`, coarse or not.
    ///
    /// No lock, no call to the system, no memory. Cost: the two lines that the shard's cursor and the slot are in, and a
    /// locked instruction for whoever is not alone.
    @inlinable
    @inline(__always)
    package func write(
        shard: Int, operation: UInt8, outcome: UInt8, keyHash: UInt64, monotonic: UInt64, durationNanoseconds: UInt64,
        thread: UInt32, caller: UInt32, isAlone: Bool
    ) {
        assert(holds(shard))
        // Safety: as the caller says, the shard is one of those that the pointers were lent for.
        let cursor = unsafe cursors + shard &* RingWriter.cursorStride
        let number: UInt64
        if isAlone {
            number = unsafe cursor.pointee.load(ordering: .relaxed) &+ 1
            unsafe cursor.pointee.store(number, ordering: .relaxed)
        } else {
            number = unsafe cursor.pointee.wrappingAdd(1, ordering: .relaxed).newValue
        }
        let record = RecordWords(
            keyHash: keyHash, ticks: (monotonic &- startedMonotonic) >> 10, durationNanoseconds: durationNanoseconds,
            number: number, caller: caller, operation: operation, outcome: outcome, thread: thread)
        let place = Int(truncatingIfNeeded: (number &- 1) % UInt64(RingWriter.slots))
        let slot = unsafe rings + (shard &* RingWriter.ringWords &+ place &* RecordWords.count)
        unsafe slot[0].store(record.words.0, ordering: .relaxed)
        unsafe slot[1].store(record.words.1, ordering: .relaxed)
        unsafe slot[2].store(record.words.2, ordering: .relaxed)
        unsafe slot[3].store(record.words.3, ordering: .relaxed)
    }
}
