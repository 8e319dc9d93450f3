import HTTPServer

/// How long a scraper waits, as Prometheus says with each scrape.
enum ScrapeTimeout {
    /// The time that there is for gathering: nine tenths of `X-Prometheus-Scrape-Timeout-Seconds`, since the answer is
    /// to be written and sent too; nil without the header, or when it is no number of seconds.
    static func nanoseconds(of request: HTTPRequest) -> UInt64? {
        guard let text = request.headers.first("X-Prometheus-Scrape-Timeout-Seconds"), let seconds = Double(text),
            seconds >= 0, seconds < 1e6
        else { return nil }
        return UInt64(seconds * 0.9e9)
    }
}
