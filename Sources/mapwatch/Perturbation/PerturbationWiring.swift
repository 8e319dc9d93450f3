import Collectors
import HTTPServer
import InstrumentedMaps
import Instruments
import Logging

/// What the command line asks of perturbations.
struct ChaosSettings: Sendable {
    var isEnabled: Bool
    var tokenFile: String?
}

/// The perturbations of a daemon, where they go into it; there is none without `--enable-chaos`.
struct PerturbationWiring: Sendable {
    let perturbations: Perturbations
    private let token: ChaosToken
    private let logger: Logger

    init?(_ settings: ChaosSettings, logger: Logger) throws(StartRefusal) {
        guard settings.isEnabled else {
            guard settings.tokenFile == nil else {
                throw StartRefusal(description: "--chaos.token-file does nothing without --enable-chaos; add it")
            }
            return nil
        }
        token = try ChaosToken.read(file: settings.tokenFile, environment: System.environment)
        self.logger = logger
        perturbations = Perturbations(didEnd: { active in
            logger.notice(
                "perturbation ended",
                metadata: ["map": "\(active.map.name)", "kind": "\(active.perturbation.kind.rawValue)"])
        })
        logger.warning("maps may be disturbed on purpose", metadata: ["because": "--enable-chaos"])
    }

    var collectors: [any Collector] { [PerturbationCollector(perturbations: perturbations)] }

    /// The observers of a host's maps: those that `inner` makes, with the perturbations before them where there are any.
    static func observer(
        _ chaos: PerturbationWiring?, around inner: @escaping MapHost.ObserverFactory = { _, _, _ in nil }
    ) -> MapHost.ObserverFactory {
        guard let perturbations = chaos?.perturbations else { return inner }
        return { name, options, incarnation in
            PerturbingObserver(
                perturbations.makePerturber(of: incarnation), around: inner(name, options, incarnation))
        }
    }

    /// The routes of the data API, and those that disturb its maps, or say why they do not.
    static func routes(
        _ routes: [Route], _ chaos: PerturbationWiring?, _ host: MapHost, playedMaps: [MapName]
    ) -> [Route] {
        guard let chaos else { return routes + PerturbationEndpoint.disabledRoutes() }
        let clock: @Sendable () -> UInt64 = MonotonicClock.nanoseconds
        let endpoint = PerturbationEndpoint(
            host: host, perturbations: chaos.perturbations, token: chaos.token, playedMaps: Set(playedMaps),
            logger: chaos.logger, nanoseconds: clock)
        return PerturbedRoutes(host: host, perturbations: chaos.perturbations, nanoseconds: clock).guarded(routes)
            + endpoint.routes()
    }
}
