/// Latencies of one kind on all shards of one map: counted by size, and of each size the last one with its shard.
///
/// One for a map and not one for a shard: 2.4 KB would be much for each of a thousand shards, and a latency that is
/// recorded (one in 64 operations, or a wait) has taken longer than two cells that threads share cost.
///
/// Concurrency: any thread. Cost: nine comparisons, two atomic adds and two stores.
public final class LatencyRecord: Sendable {
    private let histogram: LatencyHistogram
    private let exemplars = LatencyExemplars()

    public init(_ bounds: LatencyBounds) { histogram = LatencyHistogram(bounds) }

    /// Adds one latency that ended `now`, monotonic time; `shard` is nil for one that belongs to no shard.
    public func record(_ nanoseconds: UInt64, endedAt now: UInt64, shard: Int?) {
        histogram.record(nanoseconds)
        if let shard {
            exemplars.note(nanoseconds, bucket: histogram.bounds.bucket(nanoseconds), endedAt: now, shard: shard)
        }
    }

    /// What was recorded so far.
    public var sample: LatencySample {
        var sample = LatencySample(histogram.bounds)
        histogram.add(to: &sample)
        if sample.count > 0 {
            sample.lasts = (0...histogram.bounds.nanoseconds.count).map { exemplars.last(bucket: $0) }
        }
        return sample
    }
}
