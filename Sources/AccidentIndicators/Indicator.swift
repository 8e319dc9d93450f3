/// What a map is judged by: each has a line, and past it somebody should look.
///
/// The raw value is the name of the line in the YAML and in `map_indicator_line{indicator=…}`; where a gauge of the same
/// name exists (`map_delete_ratio`), the line is drawn on it.
public enum Indicator: String, Sendable, CaseIterable {
    /// Deletes among writes, over 60 s (the articles' 42 %).
    case deleteRatio = "delete_ratio"
    /// The same, where one should begin to watch.
    case deleteRatioAmber = "delete_ratio_amber"
    /// Change of `mem_map_size_bytes` over 15 s (15 %).
    case sizeMutationRatio = "size_mutation_ratio"
    /// So many times of 15 s in a row past `size_mutation_ratio` (3).
    case sizeMutationStreak = "size_mutation_streak"
    /// The signature needs a delete share past this (42 %) …
    case signatureDeleteRatio = "signature_delete_ratio"
    /// … and a size mutation past this (18 %).
    case signatureSizeMutationRatio = "signature_size_mutation_ratio"
    /// Deletes made while an iterator was open, among deletes, over 60 s.
    case deleteDuringIterationRatio = "delete_during_iteration_ratio"
    /// The hottest shard's operations over those of the mean shard.
    case shardImbalanceRatio = "shard_imbalance_ratio"
    /// Contended acquisitions of locks, among all (31 % for one lock, 9 % for 8 and more).
    case conflictRatio = "conflict_ratio"
    /// Optimistic reads that had to be tried again (12.7 %).
    case readRetryRatio = "read_retry_ratio"
    /// Seconds that an open iterator has not moved.
    case iteratorAgeSeconds = "iterator_age_seconds"

    /// What a line may be set to.
    public var range: ClosedRange<Double> {
        switch self {
        case .deleteRatio, .deleteRatioAmber, .signatureDeleteRatio, .deleteDuringIterationRatio, .conflictRatio,
            .readRetryRatio:
            0.001...1
        // A map may double within 15 s.
        case .sizeMutationRatio, .signatureSizeMutationRatio: 0.001...100
        case .sizeMutationStreak: 1...Double(MapWindow.longestStreak)
        case .shardImbalanceRatio: 1...1024
        case .iteratorAgeSeconds: 1...600
        }
    }
}

/// The lines in force for one map.
public struct IndicatorLines: Sendable, Equatable {
    private var chosen: [Indicator: Double] = [:]

    /// Those of the articles.
    public init() {}

    /// From names and numbers, as they stand in the YAML; what is not named keeps the articles' line.
    public init(_ lines: [(name: String, value: Double)]) throws(IndicatorLineError) {
        for (name, value) in lines {
            guard let indicator = Indicator(rawValue: name) else { throw .unknown(name) }
            guard indicator.range.contains(value) else { throw .outOfRange(indicator, value) }
            chosen[indicator] = value
        }
    }

    /// The line of an indicator for a map of so many shards.
    public func line(_ indicator: Indicator, shards: Int) -> Double {
        chosen[indicator] ?? IndicatorLines.ofTheArticles(indicator, shards: shards)
    }

    private static func ofTheArticles(_ indicator: Indicator, shards: Int) -> Double {
        switch indicator {
        case .deleteRatio, .signatureDeleteRatio: 0.42
        case .deleteRatioAmber: 0.30
        case .sizeMutationRatio: 0.15
        case .sizeMutationStreak: 3
        case .signatureSizeMutationRatio: 0.18
        case .deleteDuringIterationRatio: 0.05
        case .shardImbalanceRatio: 8
        // One lock for all was at its end at 31 %; eight locks were as bad at 9 %.
        case .conflictRatio: shards < 8 ? 0.31 : 0.09
        case .readRetryRatio: 0.127
        case .iteratorAgeSeconds: 60
        }
    }
}

/// Why a line was refused.
public enum IndicatorLineError: Error, Equatable, CustomStringConvertible {
    case unknown(String)
    case outOfRange(Indicator, Double)

    /// The line that is wrong, as it is spelt in the YAML.
    public var name: String {
        switch self {
        case .unknown(let name): name
        case .outOfRange(let indicator, _): indicator.rawValue
        }
    }

    public var description: String {
        switch self {
        case .unknown(let name):
            let known = Indicator.allCases.map(\.rawValue).joined(separator: ", ")
            return "line \"\(name)\" is unknown; known are \(known)"
        case .outOfRange(let indicator, let value):
            let range = indicator.range
            return "line \(indicator.rawValue) must be \(range.lowerBound) to \(range.upperBound), not \(value)"
        }
    }
}
