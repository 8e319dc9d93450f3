import AccidentIndicators
import Collectors
import Exposition
import InstrumentedMaps
import TestSupport
import Testing

@Suite("The forecast collector")
struct ForecastCollectorTests {
    private let host = MapHost { 0 }
    private let forecaster = ConflictForecaster()

    private func page() throws -> CheckedExposition {
        let families = ForecastCollector(forecaster).collect(Scrape(maps: host.snapshot(), sizeDeltas: nil))
        return try CheckedExposition(TextFormat.render(families))
    }

    @Test("a map of checked has its forecast from its creation, and no other map has one")
    func fromCreation() throws {
        _ = try host.create(MapName("orders"), MapOptions())
        #expect(ForecastCollector(forecaster).collect(Scrape(maps: host.snapshot(), sizeDeltas: nil)).isEmpty)
        _ = try host.create(MapName("carts"), MapOptions(strategy: .checked))
        let page = try page()
        let labels = ["map_name": "carts", "horizon_seconds": "60"]
        for (atLeast, expected) in [("1", 0.2929), ("2", 0.1161)] {
            let value = page.value(
                "mapwatch_conflict_forecast_probability", labels.merging(["at_least": atLeast]) { $1 })
            #expect(try abs(#require(value) - expected) < 0.0001, "the prior's")
        }
        #expect(page.samples("mapwatch_conflict_forecast_probability").count == 2)
        #expect(page.value("mapwatch_conflict_dispersion_ratio", ["map_name": "carts"]) == 0)
    }

    @Test("quiet minutes lower the forecast")
    func quiet() throws {
        let name = try MapName("carts")
        _ = try host.create(name, MapOptions(strategy: .checked))
        for minute in 0...10 as ClosedRange<UInt64> {
            forecaster.sample(host.snapshot().maps, atNanoseconds: minute * 60_000_000_000 + 1)
        }
        let value = try page().value(
            "mapwatch_conflict_forecast_probability", ["map_name": "carts", "horizon_seconds": "60", "at_least": "1"])
        #expect(try #require(value) < 0.05)
    }
}
