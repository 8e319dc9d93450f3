import Glibc

/// How likely it is that an event of a steady rate happens never, once, or more often within some time: the articles' model
/// of map accidents.
///
/// With λ = 0.02 a second and 60 s: 0.301, 0.361 and 0.337. The articles print 0.338 for the last, a slip of rounding:
/// 1 − 2.2·e^−1.2 is 0.33737, and 0.338 is what the other two leave of 1 once they are rounded.
///
/// A pure value. Source: S. D. Poisson, 1837; events must be independent, which ``ConflictForecast/dispersionRatio`` tells.
public struct PoissonForecast: Sendable, Equatable {
    /// The probability of no event at all.
    public let none: Double
    /// The probability of exactly one.
    public let one: Double
    /// The probability of two and more.
    public let twoOrMore: Double

    /// `rate` in events a second. To hand in what is negative or no number is a programmer's mistake and traps.
    public init(rate: Double, seconds: Double) {
        precondition(rate >= 0 && seconds >= 0, "no rate is \(rate), no time \(seconds) s")
        // Neither factor may be infinite while the other is 0.
        let mean = min(rate * seconds, Double.greatestFiniteMagnitude)
        none = exp(-mean)
        one = mean > 1_000 ? 0 : mean * none
        // Not 1 − none − one, which would lose all digits of a small mean.
        twoOrMore = max(0, min(1, -expm1(-mean) - one))
    }

    /// The probability of at least one.
    public var oneOrMore: Double { min(1, one + twoOrMore) }
}
