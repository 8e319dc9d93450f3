import HTTPServer

/// Who is asking, so that each scraper sees its own deltas.
enum ScraperIdentity {
    /// The longest name that is kept; a stranger chooses it.
    static let maximumLength = 256

    /// The name of the cursor that this request reads and moves; nil for one that reads and moves none: a HEAD, a part of
    /// the families (`name[]`), a look at a format (`debug`).
    ///
    /// In this order: `?scraper=NAME`; a Prometheus, known by the header that only it sends, by user agent and address;
    /// anybody else, curl for one, is `default`.
    static func of(_ request: HTTPRequest) -> String? {
        let isPartial = ["name[]", "debug"].contains { request.target.firstQueryValue($0) != nil }
        if request.method == .head || isPartial { return nil }
        if let name = request.target.firstQueryValue("scraper") {
            return String(decoding: name.prefix(maximumLength), as: UTF8.self)
        }
        guard request.headers.first("X-Prometheus-Scrape-Timeout-Seconds") != nil else { return "default" }
        let agent = (request.headers.first("User-Agent") ?? "").prefix(maximumLength)
        return "\(agent) at \(request.peerAddress)"
    }
}
