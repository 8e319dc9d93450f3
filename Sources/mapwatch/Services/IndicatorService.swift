import AccidentIndicators
import InstrumentedMaps
import ServiceLifecycle

/// Takes a sample of every map each second, on the second: a late one does not push the next ones back.
struct IndicatorService: Service {
    let host: MapHost
    let sampler: IndicatorSampler
    let nanoseconds: @Sendable () -> UInt64

    func run() async throws {
        await cancelWhenGracefulShutdown {
            let clock = ContinuousClock()
            var next = clock.now
            while !Task.isCancelled {
                let now = nanoseconds()
                sampler.sample(host.snapshot(now: now).maps, atNanoseconds: now)
                next = max(next.advanced(by: .seconds(1)), clock.now)
                try? await Task.sleep(until: next, clock: clock)
            }
        }
    }
}
