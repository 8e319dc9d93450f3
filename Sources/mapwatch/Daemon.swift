import AccidentIndicators
import Collectors
import ConfigurationFile
import HTTPServer
import InstrumentedMaps
import Instruments
import Logging
import MapwatchServer
import ProtobufExposition
import Scenarios
import ServiceLifecycle
import UnixSignals

/// What the command line asks of the daemon.
struct DaemonSettings: Sendable {
    var web: ListenerSettings
    var telemetryPath: String
    var data: ListenerSettings
    var maximumWebRequests: Int
    var showsArticleNames: Bool
    var maximumSeries: Int
    var configurationFile: String?
    /// Whether `POST /-/reload` is allowed.
    var enablesLifecycle: Bool
    var playsDemo: Bool
    var chaos: ChaosSettings
    var storage: StorageSettings
}

/// Why the daemon did not start: one line for the operator.
struct StartRefusal: Error, CustomStringConvertible {
    let description: String
}

/// The wiring: maps, listeners and services, in the order in which they live and end.
struct Daemon {
    let settings: DaemonSettings
    let logger: Logger
    private let forecaster = ConflictForecaster()

    /// Serves until SIGTERM or SIGINT, then drains.
    func run() async throws {
        // First, so that a signal in the midst of the start ends in order too.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        try refuseDeterministicHashing()
        System.raiseDescriptorLimit()
        let configuration = try ConfigurationReader.read(settings.configurationFile)
        let maximumBytes = configuration.maximumBytes ?? SystemMemory.available() / 4 * 3
        let mode = try startMode()
        let chaos = try PerturbationWiring(settings.chaos, logger: logger)
        let sampler = IndicatorSampler(
            lines: Dictionary(uniqueKeysWithValues: configuration.maps.map { ($0.name, $0.lines) }))
        let recorder = RecorderDesk(settings.storage, logger: logger)
        defer { recorder.end() }
        let incidents = IncidentDesk(
            settings.storage, sampler: sampler, logger: logger, operations: recorder.operations(of:))
        recorder.reportPreviousRun(to: incidents)
        let host = makeHost(
            maximumBytes, mode, shownBy: mapCollectors(sampler, chaos, incidents) + [SizeDeltaCollector()],
            observer: PerturbationWiring.observer(
                chaos,
                around: ConflictObserver.observers(logger, incidents.reporter, around: recorder.observer())))
        chaos?.perturbations.watch(host)
        logger.info("memory for maps", metadata: ["max_bytes": "\(maximumBytes)"])
        try createMaps(configuration.maps, on: host)
        // Both listeners are bound before either serves: a daemon that is half up helps nobody.
        let listeners = ListenerFactory(logger: logger)
        let webAccess = try listeners.access(settings.web)
        let dataAccess = try listeners.access(settings.data)
        let metricsSockets = try listeners.bind(settings.web)
        let dataSockets = try listeners.bind(settings.data)
        let listings = Listings(nanoseconds: MonotonicClock.nanoseconds)
        let health = Health()
        let servers = ServerList()
        let data = try listeners.serve(
            settings.data, dataSockets, dataAccess,
            PerturbationWiring.routes(
                DataAPI(host: host, listings: listings).routes() + incidents.dataRoutes(host), chaos, host,
                playedMaps: settings.playsDemo
                    ? (DemoBaseline.maps() + DemoSideShow.maps()).map(\.name) + DemoStage.maps() : []))
        servers.add(data)
        let manager = ServiceManager(
            environment: System.environment, processID: System.processID, logger: logger)
        let stage = DemoStage(host: host) { [logger] in
            logger.warning("the demo cannot go on", metadata: ["reason": "\($0)"])
        }
        let reloader = Reloader(
            manager: manager, settings: settings, maximumBytes: configuration.maximumBytes, host: host,
            sampler: sampler, web: webAccess,
            data: dataAccess, logger: logger, secondsSince1970: System.secondsSince1970)
        let metrics = try listeners.serve(
            settings.web, metricsSockets, webAccess,
            try metricsRoutes(host, sampler, chaos, recorder, incidents, listings, health, servers, reloader, stage))
        servers.add(metrics)
        // Whoever reads the addresses may ask at once whether we are ready.
        health.set(ready: true)
        logAddresses(metrics: metrics, data: data)
        manager.notify(.ready)
        var services: [any Service] = [
            WatchdogService(manager: manager),
            ListenerService(server: metrics, logger: logger) {},
            incidents.service,
            ListenerService(server: data, logger: logger) { health.set(ready: false) },
            EverySecondService(host: host, sampler: sampler, forecaster: forecaster, listings: listings),
        ]
        if settings.playsDemo { services.append(try demoService(host, stage)) }
        try await run(
            services, until: SignalService(signals: signals, reloader: reloader, manager: manager, logger: logger))
        logger.info("ended")
    }

    /// `collectors` are those that show a map, and so decide what it costs of the series budget.
    private func makeHost(
        _ maximumBytes: Int, _ mode: MapMode?, shownBy collectors: [any Collector],
        observer: @escaping MapHost.ObserverFactory
    ) -> MapHost {
        MapHost(
            maximumBytes: maximumBytes, seriesBudget: .counting(collectors, limit: settings.maximumSeries), mode: mode,
            nanoseconds: MonotonicClock.coarseNanoseconds, observer: observer,
            secondsSince1970: System.secondsSince1970)
    }

    private func refuseDeterministicHashing() throws(StartRefusal) {
        guard System.environment("SWIFT_DETERMINISTIC_HASHING") == nil else {
            throw StartRefusal(
                description: "SWIFT_DETERMINISTIC_HASHING is set: keys could be built to collide; unset it")
        }
    }

    /// The rollback switch: with `MAPWATCH_MAPLOCK=1` every map starts behind one lock.
    private func startMode() throws(StartRefusal) -> MapMode? {
        switch System.environment("MAPWATCH_MAPLOCK") {
        case nil, "", "0": return nil
        case "1":
            logger.notice("every map starts in mode global", metadata: ["because": "MAPWATCH_MAPLOCK=1"])
            return .global
        case let other?:
            throw StartRefusal(description: "MAPWATCH_MAPLOCK must be 0 or 1, not \"\(other)\"")
        }
    }

    private func createMaps(_ maps: [Configuration.Map], on host: MapHost) throws(StartRefusal) {
        do {
            for map in maps { _ = try host.create(map.name, map.options) }
            if settings.playsDemo {
                for map in try DemoBaseline.maps() + DemoSideShow.maps() where host.map(map.name) == nil {
                    _ = try host.create(map.name, map.options)
                }
            }
        } catch {
            throw StartRefusal(description: "\(error)")
        }
        for map in host.maps {
            logger.info(
                "hosting map",
                metadata: [
                    "map": "\(map.name)", "strategy": "\(map.options.strategy.rawValue)",
                    "shards": "\(map.options.shards)",
                    "reads": "\(map.options.reads.rawValue)",
                    "mode": "\(map.mode.rawValue)",
                ])
        }
    }

    /// What shows maps, the same to every scraper; the series budget counts what these show.
    private func mapCollectors(
        _ sampler: IndicatorSampler, _ chaos: PerturbationWiring?, _ incidents: IncidentDesk
    ) -> [any Collector] {
        let articleNames: [any Collector] = settings.showsArticleNames ? [ArticleNamesCollector()] : []
        return [
            MapCollector(), LatencyCollector(), IndicatorCollector(sampler), IteratorCollector(),
            AvertedConflictCollector(), ConflictCollector(), incidents.mapCollector,
        ]
            + [ForecastCollector(forecaster)] + articleNames + (chaos?.collectors ?? [])
    }

    private func metricsRoutes(
        _ host: MapHost, _ sampler: IndicatorSampler, _ chaos: PerturbationWiring?, _ recorder: RecorderDesk,
        _ incidents: IncidentDesk, _ listings: Listings, _ health: Health, _ servers: ServerList, _ reloader: Reloader,
        _ stage: DemoStage
    ) throws -> [Route] {
        let logger = logger
        let cursors = LockedState(ScraperCursors())
        let gatherer = try Gatherer(
            mapCollectors(sampler, chaos, incidents) + [
                HostCollector(), incidents.collector, ScraperCollector { cursors.withLock { ($0.count, $0.dropped) } },
                HTTPCollector { servers.all }, ListingCollector(listings: listings), ProcessCollector(),
                BuildCollector(version: Version.text), ReloadCollector(reloader: reloader), recorder.collector,
            ], perRequest: [SizeDeltaCollector()],
            nanoseconds: MonotonicClock.nanoseconds
        ) { collector, error in
            logger.warning("collector failed", metadata: ["collector": "\(collector)", "reason": "\(error)"])
        }
        let metrics = MetricsEndpoint(
            host: host, gatherer: gatherer, cursors: cursors, maximumRequests: settings.maximumWebRequests,
            nanoseconds: MonotonicClock.nanoseconds, protobuf: ProtobufFormat.render)
        let status = StatusEndpoint(
            sampler: sampler, scrapers: { cursors.withLock { $0.scrapers } },
            playing: { stage.playing }, incidents: incidents.listed,
            startedAt: MonotonicClock.nanoseconds(), maximumBytes: host.snapshot().maximumBytes,
            nanoseconds: MonotonicClock.nanoseconds)
        return MetricsListener(
            metrics: metrics, status: status, telemetryPath: settings.telemetryPath, health: health,
            reload: ReloadEndpoint(isEnabled: settings.enablesLifecycle, reloader: reloader)
        ).routes() + incidents.readingRoutes
    }

    private func logAddresses(metrics: HTTPServer, data: HTTPServer) {
        logAddresses("serving metrics", of: metrics, path: settings.telemetryPath)
        logAddresses("serving maps", of: data, path: "/api/v1/maps")
    }

    private func logAddresses(_ message: Logger.Message, of server: HTTPServer, path: String) {
        for address in server.boundAddresses {
            let place: Logger.Metadata =
                address.hasPrefix("unix:")
                ? ["socket": "\(address)", "path": "\(path)"] : ["url": "\(server.scheme)://\(address)\(path)"]
            logger.info(message, metadata: place)
        }
    }

    /// The last service ends first: the demo, then the data listener, and metrics only when nothing is left to count.
    private func run(_ services: [any Service], until signal: SignalService) async throws {
        var configurations: [ServiceGroupConfiguration.ServiceConfiguration] = services.map {
            .init(service: $0, successTerminationBehavior: .ignore)
        }
        configurations.append(.init(service: signal, successTerminationBehavior: .gracefullyShutdownGroup))
        try await ServiceGroup(configuration: ServiceGroupConfiguration(services: configurations, logger: logger)).run()
    }

    private func demoService(_ host: MapHost, _ stage: DemoStage) throws -> DemoService {
        let targets = try DemoBaseline.maps().map { wanted in
            LocalTarget(try host.mapForWriting(wanted.name))
        }
        return DemoService(
            stage: stage, baseline: DemoBaseline(sessions: targets[0], rules: targets[1], products: targets[2], seed: 1)
        )
    }
}

/// The servers whose counters are shown. The metrics listener collects itself, so the list fills up after it was handed
/// out.
private final class ServerList: Sendable {
    private let servers = LockedState<[HTTPServer]>([])

    func add(_ server: HTTPServer) { servers.withLock { $0.append(server) } }

    var all: [HTTPServer] { servers.withLock { $0 } }
}
