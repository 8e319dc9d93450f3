import ArgumentParser

/// The program: `mapwatch`, which serves, and its other commands.
@main
struct MapwatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mapwatch",
        abstract: "Hosts instrumented maps and shows, shard by shard, how close each one is to an accident.",
        discussion: """
            Metrics are served in Prometheus text format at http://127.0.0.1:10197/metrics, the maps at \
            http://127.0.0.1:10198/api/v1/maps. For a first look:

              mapwatch serve --demo
              curl -s http://127.0.0.1:10197/metrics | grep map_entries
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, IncidentsCommand.self, ReplayCommand.self, CheckConfigCommand.self, ForecastCommand.self,
        ],
        defaultSubcommand: ServeCommand.self)
}
