import Synchronization

// The last latency of each classic bucket, so that a person who sees a slow bucket learns which shard it was. Two words a
// bucket, written without a lock:
//
//     moment    63                                                          0    monotonic nanoseconds
//     latency   63 ── latency, nanoseconds (44) ── 20 ── shard (11) ── 9 ── tag    the moment's low 9 bits
//
// Two writers at once may leave a latency of the one beside the moment of the other; then the tags differ and the bucket
// shows nothing until its next latency, but for 1 in 512 such meetings, where the moment is that of the other.

/// One latency that was counted: how long, when, and on which shard.
public struct LatencyExemplar: Sendable, Equatable {
    public let nanoseconds: UInt64
    /// When it ended, on the monotonic clock.
    public let endedAt: UInt64
    public let shard: Int

    public init(nanoseconds: UInt64, endedAt: UInt64, shard: Int) {
        self.nanoseconds = nanoseconds
        self.endedAt = endedAt
        self.shard = shard
    }
}

/// The last latency of each bucket. Concurrency: any thread. Cost: two stores.
struct LatencyExemplars: ~Copyable, Sendable {
    private static let latencyShift: UInt64 = 20
    private static let shardShift: UInt64 = 9
    private static let latencyMask: UInt64 = 1 << 44 - 1
    private static let shardMask: UInt64 = 1 << 11 - 1
    private static let tagMask: UInt64 = 1 << 9 - 1

    private let moments = InlineArray<13, Atomic<UInt64>> { _ in Atomic(0) }
    private let latencies = InlineArray<13, Atomic<UInt64>> { _ in Atomic(0) }

    /// Notes a latency that ended `now` on a shard, in its bucket.
    func note(_ nanoseconds: UInt64, bucket: Int, endedAt now: UInt64, shard: Int) {
        let latency = min(nanoseconds, LatencyExemplars.latencyMask) << LatencyExemplars.latencyShift
        let place = (UInt64(truncatingIfNeeded: shard) & LatencyExemplars.shardMask) << LatencyExemplars.shardShift
        moments[bucket].store(now, ordering: .relaxed)
        latencies[bucket].store(latency | place | now & LatencyExemplars.tagMask, ordering: .relaxed)
    }

    /// The last latency of a bucket; nil before the first, or when two came at once.
    func last(bucket: Int) -> LatencyExemplar? {
        let moment = moments[bucket].load(ordering: .relaxed)
        let word = latencies[bucket].load(ordering: .relaxed)
        guard moment > 0, word & LatencyExemplars.tagMask == moment & LatencyExemplars.tagMask else { return nil }
        return LatencyExemplar(
            nanoseconds: word >> LatencyExemplars.latencyShift, endedAt: moment,
            shard: Int(word >> LatencyExemplars.shardShift & LatencyExemplars.shardMask))
    }
}
