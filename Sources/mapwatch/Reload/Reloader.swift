import AccidentIndicators
import ConfigurationFile
import HTTPServer
import InstrumentedMaps
import Instruments
import Logging

// Reads all files again and puts what they say in force, all of it or nothing.
//
//     read, parse, check ──► prepare access rules ──► create new maps ──► apply access rules
//        any error: nothing has changed                 the only step that can still fail; undone
//
// A map that the file no longer names stays: contents are not a matter of configuration. A map that it names otherwise
// than it stands is an error, because taking it would mean dropping the entries.

/// The reloading of one daemon.
///
/// Concurrency: any thread; a second reload waits for the first.
final class Reloader: Sendable {
    struct Status: Sendable {
        var isSuccessful = true
        /// Seconds since 1970 of the last reading that succeeded, the start's included.
        var lastSuccess: Double
    }

    private let manager: ServiceManager
    private let settings: DaemonSettings
    private let maximumBytes: Int?
    private let host: MapHost
    private let sampler: IndicatorSampler
    private let web: AccessControl
    private let data: AccessControl
    private let logger: Logger
    private let secondsSince1970: @Sendable () -> Double
    private let state: LockedState<Status>
    private let reloading = LockedState<Void>(())

    init(
        manager: ServiceManager, settings: DaemonSettings, maximumBytes: Int?, host: MapHost, sampler: IndicatorSampler,
        web: AccessControl,
        data: AccessControl, logger: Logger, secondsSince1970: @escaping @Sendable () -> Double
    ) {
        self.manager = manager
        self.settings = settings
        self.maximumBytes = maximumBytes
        self.host = host
        self.sampler = sampler
        self.web = web
        self.data = data
        self.logger = logger
        self.secondsSince1970 = secondsSince1970
        state = LockedState(Status(lastSuccess: secondsSince1970()))
    }

    var status: Status { state.withLock { $0 } }

    /// Reads and applies; throws one line that names what is wrong, and then nothing has changed.
    func reload() throws(StartRefusal) {
        manager.reloading()
        // Ready again also where nothing was taken: the old configuration holds.
        defer { manager.notify(.ready) }
        do {
            let added = try reloading.withLock { _ throws(StartRefusal) in try apply() }
            let now = secondsSince1970()
            state.withLock { $0 = Status(isSuccessful: true, lastSuccess: now) }
            logger.info(
                "reloaded the configuration",
                metadata: ["maps_added": "\(added.map { "\($0)" }.joined(separator: ","))"])
        } catch {
            state.withLock { $0.isSuccessful = false }
            logger.error("cannot reload the configuration, the old one holds", metadata: ["reason": "\(error)"])
            throw error
        }
    }

    private func apply() throws(StartRefusal) -> [MapName] {
        let configuration = try ConfigurationReader.read(settings.configurationFile)
        let webSettings = try AccessFile.read(settings.web.accessFile)
        let dataSettings = try AccessFile.read(settings.data.accessFile)
        let missing = try mapsToAdd(configuration)
        do {
            let newWeb = try web.prepare(webSettings)
            let newData = try data.prepare(dataSettings)
            try create(missing)
            web.apply(newWeb)
            data.apply(newData)
        } catch {
            throw StartRefusal(description: "\(error)")
        }
        return missing.map(\.name)
    }

    private func mapsToAdd(_ configuration: Configuration) throws(StartRefusal) -> [Configuration.Map] {
        guard configuration.maximumBytes == maximumBytes else {
            throw StartRefusal(
                description:
                    "max_bytes cannot change from \(text(maximumBytes)) to \(text(configuration.maximumBytes)) by a "
                    + "reload; restart")
        }
        var missing: [Configuration.Map] = []
        for map in configuration.maps {
            guard let standing = host.hostedMap(map.name) else {
                missing.append(map)
                continue
            }
            do {
                // It stands, so this only compares.
                _ = try host.create(map.name, map.options)
            } catch {
                throw StartRefusal(description: "\(error); a reload adds maps and changes none")
            }
            guard sampler.lines(of: standing.name) == map.lines else {
                throw StartRefusal(
                    description: "map \"\(map.name)\" stands with other lines; a reload adds maps and changes none")
            }
        }
        return missing
    }

    private func create(_ maps: [Configuration.Map]) throws {
        sampler.add(lines: Dictionary(uniqueKeysWithValues: maps.map { ($0.name, $0.lines) }))
        var made: [MapName] = []
        do {
            for map in maps where try host.create(map.name, map.options) == .created { made.append(map.name) }
        } catch {
            for name in made { _ = host.drop(name) }
            throw error
        }
    }

    private func text(_ bytes: Int?) -> String { bytes.map { "\($0)" } ?? "the default" }
}

/// Reads `--config.file`.
enum ConfigurationReader {
    /// Nil stands for no file, which says nothing.
    static func read(_ path: String?) throws(StartRefusal) -> Configuration {
        guard let path else { return Configuration() }
        do {
            return try Configuration(yaml: System.readFile(path), path: path)
        } catch {
            throw StartRefusal(description: "\(error)")
        }
    }
}
