public import Exposition

/// How many scrapers have a cursor of their own.
public struct ScraperCollector: Collector {
    public let name = "scrapers"
    private let read: @Sendable () -> (count: Int, dropped: UInt64)

    public init(read: @escaping @Sendable () -> (count: Int, dropped: UInt64)) { self.read = read }

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        let cursors = read()
        return [
            MetricFamily(
                "mapwatch_scraper_cursors", .gauge,
                help: "Scrapers whose last completed scrape is remembered, at most 64.",
                value: .count(UInt64(cursors.count))),
            MetricFamily(
                "mapwatch_scraper_cursors_dropped_total", .counter,
                help: "Scrapers forgotten for others, the one that was silent longest first.",
                value: .count(cursors.dropped)),
        ]
    }
}
