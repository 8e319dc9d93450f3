public import AccidentIndicators
public import Exposition
import InstrumentedMaps

/// How likely the next conflicts of each map are; only of maps that look for them.
public struct ForecastCollector: Collector {
    public let name = "forecast"
    private let forecaster: ConflictForecaster

    public init(_ forecaster: ConflictForecaster) { self.forecaster = forecaster }

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        let maps = scrape.maps.maps.filter { $0.conflicts != nil }
        if maps.isEmpty { return [] }
        var probability = MetricFamily(
            "mapwatch_conflict_forecast_probability", .gauge,
            help: "Of so many conflicts within the horizon, from those of the last hour and a weak prior.")
        var dispersion = MetricFamily(
            "mapwatch_conflict_dispersion_ratio", .gauge,
            help: "Variance over mean of the conflicts a minute: near 1 Poisson holds; 0 with nothing to judge.")
        for map in maps {
            let forecast = forecaster.forecast(of: map.incarnation)
            for (atLeast, value) in [("1", forecast.oneOrMore), ("2", forecast.twoOrMore)] {
                probability.append(
                    LabelSet([
                        "map_name": map.name.text, "horizon_seconds": "\(ConflictForecast.horizonSeconds)",
                        "at_least": atLeast,
                    ]), .real(value))
            }
            dispersion.append(scrape.labels(of: map).map, .real(forecast.dispersionRatio))
        }
        return [probability, dispersion]
    }
}
