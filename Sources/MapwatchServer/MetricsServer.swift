public import AccidentIndicators
public import Collectors
import Glibc
public import HTTPServer
public import InstrumentedMaps
import Instruments
public import ServiceLifecycle

// `/metrics` for a program that has maps of its own: what the daemon wires, without its data API, files and flags.
//
//     let server = try MetricsServer(maps: [orders, sessions], collectors: [counters])
//     try await ServiceGroup(services: [server, shop], logger: logger).run()

/// Serves the figures of a program's maps: `/metrics`, `/-/healthy` and `/-/ready`.
///
/// Series, formats, limits and deltas per scraper are the daemon's. It serves from the moment it exists, so that an address
/// in use is an error of the start; ``run()`` keeps the indicators and the maps' memory up to date, and drains at the end.
///
/// Concurrency: any thread. A scrape takes no shard's lock. Cost: seven threads that mostly sleep, and each second the
/// reading of the maps' counters.
public final class MetricsServer: Service {
    /// Seconds that scrapes in flight have left once the end is near.
    public static let drainSeconds = 5.0
    /// Moves a second that tidy the maps' memory, all maps together.
    private static let movesPerSecond = 200_000
    private static let maximumRequests = 40

    /// The maps that are shown. More may be registered, and taken away, at any time.
    public let host: MapHost
    private let sampler: IndicatorSampler
    private let server: HTTPServer
    private let isEnding: LockedState<Bool>

    /// Shows `maps`, and what `collectors` give beside them, at `http://ADDRESS/metrics`.
    ///
    /// `address` is written as `ListenAddress` says: `127.0.0.1:10197`, `:10197` for all interfaces, `unix:PATH`. `lines`
    /// are the indicators' lines of maps that have their own. `access` demands TLS or passwords; health checks do not ask for
    /// one. `didFail` hears of a collector that threw in a scrape, which costs that scrape the collector's own families.
    ///
    /// Throws `HTTPServerError` when the address cannot be listened on, `MapHostError` when two maps share a name, and
    /// `FamilyCollision` when a collector's family would collide with another.
    public init(
        maps: [any HostedMap] = [], address: String = "127.0.0.1:10197", collectors: [any Collector] = [],
        lines: [MapName: IndicatorLines] = [:], access: AccessControl? = nil,
        didFail: @escaping @Sendable (_ collector: String, any Error) -> Void = { _, _ in }
    ) throws {
        let host = MapHost(secondsSince1970: secondsSince1970)
        for map in maps { try host.register(map) }
        let sampler = IndicatorSampler(lines: lines)
        let cursors = LockedState(ScraperCursors())
        let shown = LockedState(ShownServer())
        let gatherer = try Gatherer(
            [
                MapCollector(), LatencyCollector(), IndicatorCollector(sampler), IteratorCollector(),
                AvertedConflictCollector(), ConflictCollector(), HostCollector(),
                ScraperCollector { cursors.withLock { ($0.count, $0.dropped) } },
                HTTPCollector { shown.withLock { $0.server }.map { [$0] } ?? [] }, ProcessCollector(),
            ] + collectors, perRequest: [SizeDeltaCollector()], nanoseconds: MonotonicClock.nanoseconds,
            didFail: didFail)
        let metrics = MetricsEndpoint(
            host: host, gatherer: gatherer, cursors: cursors, maximumRequests: MetricsServer.maximumRequests,
            nanoseconds: MonotonicClock.nanoseconds)
        let isEnding = LockedState(false)
        let routes = [
            Route(.get, "/metrics", name: "metrics") { request, _ in metrics.answer(request) },
            Route(.get, "/-/healthy", name: "healthy") { _, _ in .text("healthy\n") },
            Route(.get, "/-/ready", name: "ready") { _, _ in
                isEnding.withLock { $0 } ? .text("ending\n", status: 503) : .text("ready\n")
            },
        ]
        var limits = HTTPLimits()
        // Scrapes wait for a gather on the thread that took them, and an abort is to be noticed as such.
        limits.workers = 4
        limits.sendBuffer = 64 * 1024
        server = try HTTPServer(
            name: "metrics", sockets: [.bind(ListenAddress(address))], limits: limits, handler: Router(routes),
            access: access, openPaths: ["/-/healthy", "/-/ready"])
        self.host = host
        self.sampler = sampler
        self.isEnding = isEnding
        shown.withLock { [server] in $0.server = server }
    }

    /// The address as bound, with the port that the kernel chose for port 0.
    public var boundAddress: String { server.boundAddresses.first ?? "" }

    /// Keeps indicators and memory up to date until the task is cancelled or the service group shuts down, then drains.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [host, sampler] in
            let clock = ContinuousClock()
            var next = clock.now
            while !Task.isCancelled {
                let now = MonotonicClock.nanoseconds()
                sampler.sample(host.glances(now: now, since: sampler.sample.maps), atNanoseconds: now)
                host.maintain(budget: MetricsServer.movesPerSecond)
                next = max(next.advanced(by: .seconds(1)), clock.now)
                try? await Task.sleep(until: next, clock: clock)
            }
        }
        isEnding.withLock { $0 = true }
        // Off the pool of tasks, since it blocks.
        await Task.detached { [server] in _ = server.stop(within: MetricsServer.drainSeconds) }.value
    }
}

/// The server that its own page shows; weak, or it would never end.
private struct ShownServer: Sendable {
    weak var server: HTTPServer?
}

private func secondsSince1970() -> Double {
    var time = timespec()
    // Safety: the call only writes the local `time`.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
