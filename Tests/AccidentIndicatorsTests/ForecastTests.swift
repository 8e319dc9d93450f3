import InstrumentedMaps
import Testing

@testable import AccidentIndicators

/// How likely the next conflict is.
@Suite("The forecast")
struct ForecastTests {
    private static let second: UInt64 = 1_000_000_000

    /// A history that was shown one total a second.
    private static func history(seconds: Int, conflicts: (_ second: Int) -> UInt64) -> ConflictHistory {
        var history = ConflictHistory(total: 0, atNanoseconds: second)
        var total: UInt64 = 0
        for passed in 1...seconds {
            total += conflicts(passed)
            history.append(total: total, atNanoseconds: second * UInt64(passed + 1))
        }
        return history
    }

    private static func isNear(_ one: Double, _ other: Double, within part: Double = 1e-9) -> Bool {
        abs(one - other) <= part * max(abs(one), abs(other))
    }

    @Test("Poisson gives the articles' figures, and the right one where theirs is a slip of rounding")
    func articles() {
        let forecast = PoissonForecast(rate: 0.02, seconds: 60)
        #expect(abs(forecast.none - 0.3011942) < 1e-7)
        #expect(abs(forecast.one - 0.3614330) < 1e-7)
        #expect(abs(forecast.twoOrMore - 0.3373727) < 1e-7)
        #expect(Self.isNear(forecast.none + forecast.one + forecast.twoOrMore, 1))
    }

    @Test(
        "the three probabilities are within 0 and 1 and add up to 1 for any mean",
        arguments: [0, 1e-12, 1e-6, 0.1, 1, 30, 700, 1e6, 1e300])
    func anyMean(mean: Double) {
        let forecast = PoissonForecast(rate: mean, seconds: 1)
        for part in [forecast.none, forecast.one, forecast.twoOrMore, forecast.oneOrMore] {
            #expect(part >= 0 && part <= 1)
        }
        #expect(Self.isNear(forecast.none + forecast.one + forecast.twoOrMore, 1))
        // The leading term of a small mean, which a difference of ones would lose.
        if mean > 0, mean <= 1e-6 { #expect(Self.isNear(forecast.twoOrMore, mean * mean / 2, within: 1e-3)) }
    }

    @Test("a map of which nothing is known is given the prior: half a conflict a minute")
    func prior() {
        let rate = ConflictRate()
        #expect(Self.isNear(rate.mean, 0.5 / 60))
        // Gamma(1/2, 60 s) over 60 s: 1 − (1/2)^½, and one in between.
        #expect(Self.isNear(rate.oneOrMore(within: 60), 1 - 0.5.squareRoot()))
        #expect(Self.isNear(rate.twoOrMore(within: 60), 1 - 0.5.squareRoot() - 0.25 * 0.5.squareRoot()))
    }

    @Test("after a quiet hour a conflict is unlikely and not impossible")
    func quietHour() {
        let rate = Self.history(seconds: 3_600) { _ in 0 }.rate
        #expect(Self.isNear(rate.mean, 0.5 / 3_660))
        #expect(rate.oneOrMore(within: 60) > 0.005)
        #expect(rate.oneOrMore(within: 60) < 0.01)
        #expect(rate.twoOrMore(within: 60) > 0)
    }

    @Test("the more is counted, the nearer the forecast is to Poisson's at the true rate")
    func converges() {
        let poisson = PoissonForecast(rate: 0.02, seconds: 60)
        var distance = Double.infinity
        for hours in [1, 10, 100, 1_000] {
            let rate = ConflictRate(conflicts: UInt64(72 * hours), seconds: Double(3_600 * hours))
            let new =
                abs(rate.oneOrMore(within: 60) - poisson.oneOrMore)
                + abs(rate.twoOrMore(within: 60) - poisson.twoOrMore)
            #expect(new < distance)
            distance = new
        }
        #expect(distance < 1e-4)
    }

    @Test("more conflicts in the same time, or the same in less time, make the next one likelier")
    func monotone() {
        let middle = ConflictRate(conflicts: 5, seconds: 600)
        for other in [ConflictRate(conflicts: 6, seconds: 600), ConflictRate(conflicts: 5, seconds: 500)] {
            #expect(other.oneOrMore(within: 60) > middle.oneOrMore(within: 60))
            #expect(other.twoOrMore(within: 60) > middle.twoOrMore(within: 60))
        }
        #expect(middle.twoOrMore(within: 60) < middle.oneOrMore(within: 60))
    }

    @Test("an hour later an accident is forgotten, and the hour since then counts")
    func forgets() {
        let recent = Self.history(seconds: 600) { $0 == 30 ? 1_000 : 0 }
        #expect(recent.rate.mean > 1)
        let old = Self.history(seconds: 3_600 + 120) { $0 == 30 ? 1_000 : 0 }
        #expect(old.rate.mean < 0.001)
    }

    @Test("evenly spread conflicts are less dispersed than Poisson's, a burst far more, and no conflict is not judged")
    func dispersion() throws {
        #expect(Self.history(seconds: 3_600) { _ in 0 }.dispersionRatio == nil)
        #expect(Self.history(seconds: 119) { _ in 1 }.dispersionRatio == nil, "one whole minute")
        #expect(try #require(Self.history(seconds: 3_600) { $0 % 30 == 0 ? 1 : 0 }.dispersionRatio) < 0.1)
        #expect(try #require(Self.history(seconds: 3_600) { $0 == 1_800 ? 60 : 0 }.dispersionRatio) > 50)
    }

    @Test("independent conflicts have a dispersion near 1", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func independent(seed: UInt64) throws {
        var state = seed
        let history = Self.history(seconds: 3_600) { _ in
            // Numerical Recipes' generator; one conflict in ten seconds, each second by itself.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % 10 == 0 ? 1 : 0
        }
        let ratio = try #require(history.dispersionRatio)
        // Four standard errors, 4·√(2/59), about the 0.9 of ten coins.
        #expect(ratio > 0.3 && ratio < 1.64)
    }

    @Test("a sampler that was late by minutes counts the time, and one that was late by hours starts over")
    func lateSamples() {
        var history = ConflictHistory(total: 0, atNanoseconds: 0)
        history.append(total: 3, atNanoseconds: 600 * Self.second)
        #expect(Self.isNear(history.rate.mean, 3.5 / 660))
        history.append(total: 3, atNanoseconds: 36_000 * Self.second)
        #expect(Self.isNear(history.rate.mean, 0.5 / 3_660))
    }

    @Test("a forecaster knows maps by incarnation, gives strangers the prior, and forgets those that are gone")
    func forecaster() {
        let forecaster = ConflictForecaster()
        forecaster.sample([1: 0, 2: 0], atNanoseconds: Self.second)
        forecaster.sample([1: 50, 2: 0], atNanoseconds: 2 * Self.second)
        #expect(forecaster.forecast(of: 1).oneOrMore > 0.99)
        #expect(forecaster.forecast(of: 2).oneOrMore < ConflictForecast().oneOrMore)
        #expect(forecaster.forecast(of: 3) == ConflictForecast())
        forecaster.sample([2: 0], atNanoseconds: 3 * Self.second)
        #expect(forecaster.forecast(of: 1) == ConflictForecast())
    }
}
