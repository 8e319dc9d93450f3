import HTTPServer

/// Who is asking, so that each scraper sees its own deltas.
enum ScraperIdentity {
    /// The longest name that is kept; a stranger chooses it.
    static let maximumLength = 256

    /// The name of the cursor that this request reads and moves; nil for a HEAD, which moves none.
    ///
    /// In this order: `?scraper=NAME`; a Prometheus, known by the header that only it sends, by user agent and address;
    /// anybody else, curl for one, is `default`.
    static func of(_ request: HTTPRequest) -> String? {
        if request.method == .head { return nil }
        if let name = request.target.firstQueryValue("scraper") {
            return String(decoding: name.prefix(maximumLength), as: UTF8.self)
        }
        guard request.headers.first("X-Prometheus-Scrape-Timeout-Seconds") != nil else { return "default" }
        let agent = (request.headers.first("User-Agent") ?? "").prefix(maximumLength)
        return "\(agent) at \(request.peerAddress)"
    }
}
