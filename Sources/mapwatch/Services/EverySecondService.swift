import AccidentIndicators
import InstrumentedMaps
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
    let listings: Listings
    let nanoseconds: @Sendable () -> UInt64

    func run() async throws {
        await cancelWhenGracefulShutdown {
            let clock = ContinuousClock()
            var next = clock.now
            while !Task.isCancelled {
                let now = nanoseconds()
                sampler.sample(host.glances(now: now), atNanoseconds: now)
                listings.expire()
                host.maintain(budget: EverySecondService.movesPerSecond)
                next = max(next.advanced(by: .seconds(1)), clock.now)
                try? await Task.sleep(until: next, clock: clock)
            }
        }
    }
}
