import ArgumentParser
import ConfigurationFile
import InstrumentedMaps

/// `mapwatch check-config FILE`: says whether `serve` would take the file.
struct CheckConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Checks a configuration file without serving.",
        discussion: "Exits 0 when the file is good; else names the line and what is wrong with it, and exits 1.")

    @Argument(help: "The YAML file, as given to serve --config.file.")
    var file: String

    func run() throws {
        do {
            let configuration = try Configuration(yaml: System.readFile(file), path: file)
            let count = configuration.maps.count
            print("\(file): good, \(count) map\(count == 1 ? "" : "s")")
            for map in configuration.maps {
                let reads = map.options.reads == .locked ? "" : ", \(map.options.reads.rawValue) reads"
                print("  \(map.name): \(map.options.strategy.rawValue), \(map.options.shards) shard(s)\(reads)")
            }
        } catch {
            System.writeToStandardError(Array("\(error)\n".utf8))
            throw ExitCode(1)
        }
    }
}
