import Glibc

// How often conflicts happen is not known, only how many there were. So the rate is a distribution, Gamma, which each second
// that is watched makes narrower:
//
//     prior  Gamma(½, 60 s)  ──── k conflicts in T seconds ────▶  Gamma(½ + k, 60 s + T)
//
// The shape ½ is Jeffreys' for a Poisson rate: it favours no unit of time. Alone it is no distribution before the first
// second, so it comes with 60 s, one horizon: a map of which nothing is known is given half a conflict a minute. It weighs as
// much as one quiet minute, so an hour's counts outweigh it by sixty.
//
// A forecast averages over all rates that are still possible (a negative binomial distribution); with many counts it comes
// to the Poisson distribution of their mean, and after a quiet hour it is small and not 0.

/// What is known of the rate of conflicts of one map.
///
/// A pure value. Source: A. Gelman and others, "Bayesian Data Analysis", 2.6 and 2.8.
public struct ConflictRate: Sendable, Equatable {
    /// Events that the prior is worth.
    public static let priorShape = 0.5
    /// Seconds that the prior is worth.
    public static let priorSeconds = 60.0

    private let shape: Double
    private let seconds: Double

    /// What is known after so many conflicts in so many seconds.
    public init(conflicts: UInt64 = 0, seconds: Double = 0) {
        shape = ConflictRate.priorShape + Double(conflicts)
        self.seconds = ConflictRate.priorSeconds + max(0, seconds)
    }

    /// The expected rate, in conflicts a second. Never 0.
    public var mean: Double { shape / seconds }

    /// The probability of at least one conflict within the next `horizon` seconds.
    public func oneOrMore(within horizon: Double) -> Double { -expm1(logNone(within: horizon)) }

    /// The probability of at least two.
    public func twoOrMore(within horizon: Double) -> Double {
        let one = shape * horizon / (seconds + horizon) * exp(logNone(within: horizon))
        return max(0, oneOrMore(within: horizon) - one)
    }

    /// The logarithm of the probability of none.
    private func logNone(within horizon: Double) -> Double { -shape * log1p(horizon / seconds) }
}
