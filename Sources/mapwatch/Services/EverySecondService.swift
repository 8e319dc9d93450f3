import AccidentIndicators
import InstrumentedMaps
import Instruments
import ServiceLifecycle

/// Does what is due each second, on the second: samples every map, ends listings whose time is over, tidies the maps'
/// memory. A late second does not push the next ones back.
///
/// One after the other, because the tidying looks at cells that the sample has just brought into the cache.
struct EverySecondService: Service {
    /// Moves a second: at some 100 ns each 2 % of a core at the most, and a million records within ten seconds.
    static let movesPerSecond = 200_000

    let host: MapHost
    let sampler: IndicatorSampler
    let forecaster: ConflictForecaster
    let listings: Listings
    var nanoseconds: @Sendable () -> UInt64 = MonotonicClock.nanoseconds

    func run() async throws {
        await cancelWhenGracefulShutdown {
            let clock = ContinuousClock()
            var next = clock.now
            while !Task.isCancelled {
                let now = nanoseconds()
                sampler.sample(host.glances(now: now, since: sampler.sample.maps), atNanoseconds: now)
                // Only maps that look for conflicts are read a second time.
                forecaster.sample(
                    host.maps.filter { $0.options.strategy == .checked }.map { $0.snapshot(now: now) },
                    atNanoseconds: now)
                listings.expire()
                host.maintain(budget: EverySecondService.movesPerSecond)
                next = max(next.advanced(by: .seconds(1)), clock.now)
                try? await Task.sleep(until: next, clock: clock)
            }
        }
    }
}
