import Collectors
import Exposition

/// How the last reading of the configuration went.
struct ReloadCollector: Collector {
    let name = "config"
    let reloader: Reloader

    func collect(_ scrape: Scrape) -> [MetricFamily] {
        let status = reloader.status
        return [
            MetricFamily(
                "mapwatch_config_last_reload_successful", .gauge,
                help: "1 when the configuration was read at the last attempt, 0 when an older one holds.",
                value: .count(status.isSuccessful ? 1 : 0)),
            MetricFamily(
                "mapwatch_config_last_reload_success_timestamp_seconds", .gauge,
                help: "When the configuration was last read with success.", value: .real(status.lastSuccess)),
        ]
    }
}
