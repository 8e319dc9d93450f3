public import Exposition
import InstrumentedMaps

/// The one name of the articles that is not ours already: an alias, so that their PromQL runs unchanged.
public struct ArticleNamesCollector: Collector {
    public let name = "article_names"

    public init() {}

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        var wait = MetricFamily(
            "go_map_segment_lock_wait_seconds_total", .counter,
            help: "Alias of map_shard_lock_wait_seconds_total; no Go runtime here")
        for map in scrape.maps.maps {
            wait.append(
                scrape.labels(of: map).segments, MetricColumn(map.rows) { .nanoseconds($0.lockWaitNanoseconds) })
        }
        return [wait]
    }
}
