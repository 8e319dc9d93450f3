public import InstrumentedMaps

/// How far a value has come.
public enum IndicatorLevel: String, Sendable, Comparable {
    case quiet, amber, red

    public static func < (left: IndicatorLevel, right: IndicatorLevel) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .quiet: 0
        case .amber: 1
        case .red: 2
        }
    }
}

/// One indicator of one map beside its lines.
public struct IndicatorStanding: Sendable, Equatable {
    public let indicator: Indicator
    public let value: Double
    public let amber: Double?
    public let red: Double?
    public let level: IndicatorLevel
}

/// How one map stands: what a person sees before any alert is set up.
///
/// The lines count as they do for the alerts: not for a map that is young, tiny or idle, and the use of locks only where
/// callers really wait. A delete share past its line colours its own cell alone, since a cache may churn so for ever.
public struct MapStanding: Sendable, Equatable {
    /// Seconds of waiting a second from which on it matters how locks are used, as in the alert of hot shards.
    static let smallestLockWait = 0.05

    public let indicators: [IndicatorStanding]
    /// Of the map as a whole.
    public let level: IndicatorLevel

    public init(_ map: MapGlance, _ reading: IndicatorReading, _ lines: IndicatorLines) {
        func line(_ indicator: Indicator) -> Double { lines.line(indicator, shards: map.shards.count) }
        func standing(
            _ indicator: Indicator, _ value: Double, amber: Double? = nil, red: Double? = nil, counts: Bool
        ) -> IndicatorStanding {
            var level = IndicatorLevel.quiet
            if counts, let amber, value > amber { level = .amber }
            if counts, let red, value > red { level = .red }
            return IndicatorStanding(indicator: indicator, value: value, amber: amber, red: red, level: level)
        }
        let isJudged = reading.isJudged
        let waits = reading.rates.lockWaitSeconds > MapStanding.smallestLockWait
        let iteratorAge = Double(map.iteratorRestingNanoseconds) / 1e9
        let deleteShare = standing(
            .deleteRatio, reading.deleteRatio, amber: line(.deleteRatioAmber), red: line(.deleteRatio),
            counts: isJudged)
        let others = [
            standing(
                .sizeMutationRatio, reading.sizeMutationRatio, amber: line(.sizeMutationRatio),
                red: line(.signatureSizeMutationRatio), counts: isJudged),
            // The one whose line is to be reached, not passed.
            IndicatorStanding(
                indicator: .sizeMutationStreak, value: Double(reading.sizeMutationStreak), amber: nil,
                red: line(.sizeMutationStreak),
                level: Double(reading.sizeMutationStreak) >= line(.sizeMutationStreak) ? .red : .quiet),
            standing(
                .deleteDuringIterationRatio, reading.deleteDuringIterationRatio,
                amber: line(.deleteDuringIterationRatio), counts: isJudged),
            standing(
                .shardImbalanceRatio, reading.shardImbalanceRatio, amber: line(.shardImbalanceRatio), counts: waits),
            standing(.conflictRatio, reading.rates.conflictRatio, amber: line(.conflictRatio), counts: waits),
            standing(.iteratorAgeSeconds, iteratorAge, red: line(.iteratorAgeSeconds), counts: true),
        ]
        indicators = [deleteShare] + others
        level = reading.hasSignature ? .red : others.map(\.level).max() ?? .quiet
    }
}
