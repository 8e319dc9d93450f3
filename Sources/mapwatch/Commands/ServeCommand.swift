public import ArgumentParser
import Incidents
public import Logging

/// `mapwatch serve`: the daemon.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Hosts maps and serves their metrics until SIGTERM or SIGINT (the default command).",
        discussion: """
            Exits 0 once a SIGTERM or SIGINT has drained the requests in flight, and 1 when a listener cannot bind or \
            the configuration is wrong.
            """)

    @Option(
        name: .customLong("web.listen-address"),
        help: """
            Where metrics are served: HOST:PORT, [IPv6]:PORT, :PORT for all interfaces, or unix:PATH, for example \
            unix:/run/mapwatch.sock?mode=0660. May be given several times.
            """)
    var webListenAddress: [String] = ["127.0.0.1:10197"]

    @Option(name: .customLong("web.telemetry-path"), help: "The path of the metrics.")
    var webTelemetryPath = "/metrics"

    @Option(
        name: .customLong("web.max-requests"),
        help: "Scrapes in flight, from the request to the last byte; one more is answered 503.")
    var webMaxRequests = 40

    @Flag(
        name: .customLong("web.article-names"), inversion: .prefixedNo,
        help: "Shows go_map_segment_lock_wait_seconds_total, an alias under the articles' own name.")
    var webArticleNames = true

    @Option(
        name: .customLong("max-series"),
        help: "Series of all maps together. A map that does not fit is shown as one row, shard_id=\"all\".")
    var maxSeries = 50_000

    @Option(
        name: .customLong("data.listen-address"),
        help: "Where the data API is served, as above. May be given several times.")
    var dataListenAddress: [String] = ["127.0.0.1:10198"]

    @Flag(
        name: .customLong("web.systemd-socket"),
        help: "Serve metrics on the sockets of a systemd .socket unit, in place of --web.listen-address.")
    var webSystemdSocket = false

    @Flag(
        name: .customLong("data.systemd-socket"),
        help: "Serve the data API on the unit's sockets with FileDescriptorName=data.")
    var dataSystemdSocket = false

    @Option(
        name: .customLong("web.max-connections"),
        help: "Open connections for metrics; further ones are answered 503.")
    var webMaxConnections = 4096

    @Option(
        name: .customLong("data.max-connections"),
        help: "Open connections for the data API; further ones are answered 503.")
    var dataMaxConnections = 4096

    @Option(
        name: .customLong("web.config.file"),
        help: """
            TLS, users and header lines of the metrics listener: a YAML file as the Prometheus exporter-toolkit has it, \
            with tls_server_config, basic_auth_users and http_server_config. Read again at SIGHUP.
            """)
    var webConfigFile: String?

    @Option(name: .customLong("data.config.file"), help: "The same for the data API; it may be the same file.")
    var dataConfigFile: String?

    @Flag(
        name: .customLong("web.enable-lifecycle"),
        help: "Allow POST /-/reload on the metrics listener: it reads all files again, as SIGHUP does.")
    var webEnableLifecycle = false

    @Option(name: .customLong("config.file"), help: "A YAML file that names the maps to host from the start.")
    var configFile: String?

    @Option(
        name: .customLong("storage.path"),
        help: """
            A directory, made if it is missing, for what has to outlive the process: recorder holds the last operations of \
            each shard, incidents/ a bundle of files for each incident. Without it nothing is recorded, and incidents are \
            counted, logged and kept in memory.
            """)
    var storagePath: String?

    @Option(
        name: .customLong("storage.max-bytes"),
        help: """
            What all incidents may take on disk. The oldest go first, but for the first of each map within an hour, which \
            go last.
            """)
    var storageMaxBytes = BundleStore.defaultMaximumBytes

    @Flag(
        name: .customLong("recorder.reads"),
        help: "Record reads too: each shard keeps its last 16 operations, and without this flag no read among them.")
    var recorderReads = false

    @Option(name: .customLong("log.level"), help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: Logger.Level = .info

    @Option(name: .customLong("log.format"), help: "logfmt or json.")
    var logFormat: LogFormat = .logfmt

    @Flag(
        name: .customLong("demo"),
        help: """
            Plays the seven accidents in rotation, two minutes each, on maps of their names, and a workload beside them on \
            sessions, products and rules; once a rotation mishaps on ledger, prices and thumbnails.
            """)
    var demo = false

    @Flag(
        name: .customLong("enable-chaos"),
        help: """
            Allow /api/v1/maps/MAP/perturbations on the data listener: delays, yields, and a shard that fails or stands \
            still, each for 10 minutes at the most. Needs a token.
            """)
    var enableChaos = false

    @Option(
        name: .customLong("chaos.token-file"),
        help: """
            The token that such requests carry as Authorization: Bearer TOKEN. MAPWATCH_CHAOS_TOKEN may hold it instead.
            """)
    var chaosTokenFile: String?

    func validate() throws {
        let path = webTelemetryPath
        guard path.hasPrefix("/"), !path.contains(where: { "{}?#% ".contains($0) }) else {
            throw ValidationError("--web.telemetry-path \"\(path)\" is not a path such as /metrics")
        }
        for (name, limit) in [("web", webMaxConnections), ("data", dataMaxConnections)] {
            guard (1...1_000_000).contains(limit) else {
                throw ValidationError("--\(name).max-connections \(limit) is not from 1 to 1000000")
            }
        }
        guard !["/-/healthy", "/-/ready", "/-/reload"].contains(path) else {
            throw ValidationError("--web.telemetry-path \"\(path)\" is taken by a health check or the reload")
        }
        guard webMaxRequests >= 1 else {
            throw ValidationError("--web.max-requests must be 1 or more, not \(webMaxRequests)")
        }
        guard storageMaxBytes >= 1 << 16 else {
            throw ValidationError("--storage.max-bytes must be 65536 or more, not \(storageMaxBytes)")
        }
        guard storagePath != "" else { throw ValidationError("--storage.path is empty; name a directory") }
        guard maxSeries >= 1 else { throw ValidationError("--max-series must be 1 or more, not \(maxSeries)") }
    }

    func run() async throws {
        let (format, level) = (logFormat, logLevel)
        let logger = Logger(label: "mapwatch") { _ in
            StructuredLogHandler(
                format: format, level: level, write: System.writeToStandardError, now: System.timestamp)
        }
        do {
            try await Daemon(settings: settings, logger: logger).run()
        } catch let refusal as StartRefusal {
            logger.error("cannot start", metadata: ["reason": "\(refusal)"])
            throw ExitCode(1)
        }
    }

    private var settings: DaemonSettings {
        DaemonSettings(
            web: ListenerSettings(
                name: "metrics", addresses: webListenAddress, usesSystemdSockets: webSystemdSocket,
                maximumConnections: webMaxConnections,
                accessFile: webConfigFile),
            telemetryPath: webTelemetryPath,
            data: ListenerSettings(
                name: "data", addresses: dataListenAddress, usesSystemdSockets: dataSystemdSocket,
                maximumConnections: dataMaxConnections, accessFile: dataConfigFile),
            maximumWebRequests: webMaxRequests, showsArticleNames: webArticleNames, maximumSeries: maxSeries,
            configurationFile: configFile, enablesLifecycle: webEnableLifecycle, playsDemo: demo,
            chaos: ChaosSettings(isEnabled: enableChaos, tokenFile: chaosTokenFile),
            storage: StorageSettings(path: storagePath, maximumBytes: storageMaxBytes, recordsReads: recorderReads))
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

extension LogFormat: ExpressibleByArgument {}
