import AccidentIndicators
import ArgumentParser

/// `mapwatch forecast`: the articles' model, by hand.
struct ForecastCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forecast",
        abstract: "Prints how likely no, one, and two or more accidents are at a given rate.",
        discussion: """
            Three probabilities, by Poisson: of none, of exactly one, and of two or more within --t seconds.

              mapwatch forecast --lambda 0.02 --t 60
              0.301 0.361 0.337

            The articles give 0.338 for the last, which is a slip of rounding: it is 0.33737, and 0.338 is what the \
            other two leave of 1 after they were rounded themselves.

            The daemon forecasts from what it has counted, for maps with strategy checked:
            mapwatch_conflict_forecast_probability, and mapwatch_conflict_dispersion_ratio, which says whether Poisson holds.
            """)

    @Option(help: "Accidents a second.")
    var lambda: Double

    @Option(help: "Seconds to look ahead.")
    var t: Double

    func validate() throws {
        guard lambda >= 0, lambda.isFinite else {
            throw ValidationError("--lambda must be 0 or more accidents a second, not \(lambda)")
        }
        guard t >= 0, t.isFinite else { throw ValidationError("--t must be 0 or more seconds, not \(t)") }
    }

    func run() {
        let forecast = PoissonForecast(rate: lambda, seconds: t)
        print([forecast.none, forecast.one, forecast.twoOrMore].map(ForecastCommand.rounded).joined(separator: " "))
    }

    /// Three decimals.
    static func rounded(_ probability: Double) -> String {
        let thousandths = Int((probability * 1_000).rounded())
        return "\(thousandths / 1_000)." + "\(1_000 + thousandths % 1_000)".dropFirst()
    }
}
