/// What a histogram's exponential buckets hold: Prometheus' native histograms, which only protobuf can carry.
///
/// Bucket `i` holds what is above 2^((i−1)/2^schema) and not above 2^(i/2^schema), in the unit of the family.
public struct ExponentialCounts: Sendable, Equatable {
    /// 2^schema buckets a doubling: −4 to 8.
    public let schema: Int
    /// What is not above it is in the zero bucket.
    public let zeroThreshold: Double
    public let zeroCount: UInt64
    /// The bucket of the first of ``counts``.
    public let firstIndex: Int
    /// Observations by bucket, not cumulative.
    public let counts: [UInt64]

    /// A schema that no scraper knows is a programmer's mistake and traps.
    public init(schema: Int, zeroThreshold: Double, zeroCount: UInt64, firstIndex: Int, counts: [UInt64]) {
        precondition((-4...8).contains(schema), "schema \(schema) is not within -4 and 8")
        self.schema = schema
        self.zeroThreshold = zeroThreshold
        self.zeroCount = zeroCount
        self.firstIndex = firstIndex
        self.counts = counts
    }

    /// Observations in all buckets.
    var total: UInt64 { counts.reduce(zeroCount, &+) }
}

/// One observation of a bucket, with what it was; shown in OpenMetrics and protobuf, which alone have a place for it.
public struct Exemplar: Sendable, Equatable {
    /// Fixed words and numbers of few values, as in any label of ours; at most 128 characters together.
    public let labels: LabelSet
    public let value: MetricValue
    /// When it was observed.
    public let nanosecondsSince1970: UInt64

    public init(_ labels: LabelSet, _ value: MetricValue, nanosecondsSince1970: UInt64) {
        self.labels = labels
        self.value = value
        self.nanosecondsSince1970 = nanosecondsSince1970
    }
}
