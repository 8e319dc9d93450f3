public import InstrumentedMaps
import Instruments

/// What is expected of one map's conflicts.
public struct ConflictForecast: Sendable, Equatable {
    /// Seconds that a forecast looks ahead.
    public static let horizonSeconds = 60

    public let rate: ConflictRate
    /// Variance over mean of the conflicts a minute, over the last hour: near 1 when they come independently, as Poisson's
    /// model has it, larger for bursts. 0 while there is nothing to judge: fewer than two minutes, or no conflict.
    public let dispersionRatio: Double

    /// What is expected of a map of which nothing is known.
    public init() { self.init(rate: ConflictRate(), dispersionRatio: 0) }

    init(rate: ConflictRate, dispersionRatio: Double) {
        self.rate = rate
        self.dispersionRatio = dispersionRatio
    }

    /// The probability of at least one conflict within the horizon.
    public var oneOrMore: Double { rate.oneOrMore(within: Double(ConflictForecast.horizonSeconds)) }

    /// The probability of at least two.
    public var twoOrMore: Double { rate.twoOrMore(within: Double(ConflictForecast.horizonSeconds)) }
}

/// Forecasts the conflicts of all maps that look for them: one thread samples each second, scrapes read.
///
/// Concurrency: any thread. A map is known by its incarnation, so one that is created again starts anew.
public final class ConflictForecaster: Sendable {
    private let histories = LockedState<[UInt64: ConflictHistory]>([:])

    public init() {}

    /// Takes one sample: the conflicts that each map has counted so far, by incarnation; to be called each second with
    /// monotonic time. A map that is missing is forgotten.
    public func sample(_ totals: [UInt64: UInt64], atNanoseconds now: UInt64) {
        histories.withLock { histories in
            for incarnation in histories.keys where totals[incarnation] == nil { histories[incarnation] = nil }
            for (incarnation, total) in totals {
                histories[incarnation, default: ConflictHistory(total: 0, atNanoseconds: now)]
                    .append(total: total, atNanoseconds: now)
            }
        }
    }

    /// The same from snapshots; of maps that look for no conflicts nothing is kept.
    public func sample(_ maps: [MapSnapshot], atNanoseconds now: UInt64) {
        var totals: [UInt64: UInt64] = [:]
        for map in maps {
            totals[map.incarnation] = map.conflicts.map { conflicts in
                ConflictKind.allCases.reduce(0) { $0 + conflicts[$1] }
            }
        }
        sample(totals, atNanoseconds: now)
    }

    /// What is expected of a map now; before its first sample, of any map.
    public func forecast(of incarnation: UInt64) -> ConflictForecast {
        guard let history = histories.withLock({ $0[incarnation] }) else { return ConflictForecast() }
        return ConflictForecast(rate: history.rate, dispersionRatio: history.dispersionRatio ?? 0)
    }
}
