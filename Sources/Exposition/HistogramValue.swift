/// The upper bounds of a histogram's buckets, ascending, without `+Inf`; the text of each `le` is rendered once.
///
/// Made once for a family and shared by its series: a static constant of the collector.
public struct HistogramBounds: Sendable, Equatable {
    /// In the unit of the family: seconds for durations, a share for ratios.
    public let values: [Double]
    /// `le="0.001"`, one a bound and `le="+Inf"` last. Swift prints a bound as Go and OpenMetrics want it: `1.0`,
    /// `2.5e-07`.
    let labels: [[UInt8]]

    /// Bounds that do not ascend or are not finite are a programmer's mistake and trap.
    public init(_ values: [Double]) {
        precondition(values.allSatisfy(\.isFinite), "a bound is not finite: \(values)")
        precondition(zip(values, values.dropFirst()).allSatisfy { $0 < $1 }, "bounds do not ascend: \(values)")
        self.values = values
        labels = (values.map(\.description) + ["+Inf"]).map { Array(#"le="\#($0)""#.utf8) }
    }

    /// Bounds of a duration, as the instruments have them.
    public init(nanoseconds: [UInt64]) {
        self.init(nanoseconds.map { Double($0) / 1e9 })
    }
}

/// What a histogram has observed.
public struct HistogramValue: Sendable, Equatable {
    public let bounds: HistogramBounds
    /// Observations by bucket, **not** cumulative: one number a bound, and last those above all bounds.
    public let counts: [UInt64]
    /// The sum of all observations.
    public let sum: MetricValue
    /// The same observations by exponential bucket; nil when they were not counted so.
    public let exponential: ExponentialCounts?
    /// One a bucket where there is one; empty when there is none at all.
    public let exemplars: [Exemplar?]

    /// Not one count a bound and one more, exponential buckets with another number of observations, or exemplars that are
    /// not one a bucket are a programmer's mistake and trap.
    public init(
        _ bounds: HistogramBounds, counts: [UInt64], sum: MetricValue, exponential: ExponentialCounts? = nil,
        exemplars: [Exemplar?] = []
    ) {
        precondition(
            counts.count == bounds.values.count + 1, "\(counts.count) counts for \(bounds.values.count) bounds and +Inf"
        )
        precondition(
            exponential.map { $0.total == counts.reduce(0, &+) } ?? true,
            "two kinds of buckets, two numbers of observations"
        )
        precondition(
            exemplars.isEmpty || exemplars.count == counts.count,
            "\(exemplars.count) exemplars for \(counts.count) buckets")
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
        self.exponential = exponential
        self.exemplars = exemplars
    }

    /// A histogram of durations, which are summed in nanoseconds and printed in seconds.
    public init(_ bounds: HistogramBounds, counts: [UInt64], sumNanoseconds: UInt64) {
        self.init(bounds, counts: counts, sum: .nanoseconds(sumNanoseconds))
    }
}
