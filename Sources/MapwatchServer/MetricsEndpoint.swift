package import AccidentIndicators
package import Collectors
package import Exposition
package import HTTPServer
package import InstrumentedMaps
package import Instruments
import Synchronization

/// `/metrics`: one snapshot, gathered, rendered, and the scraper's cursor moved once the body has been sent.
///
/// Concurrency: any thread. Takes no shard lock and walks no entries; the cursors have a lock of their own, held for the
/// comparison of two readings. At most `maximumRequests` are in flight, from the request to the last byte of the answer;
/// the others get a 503.
package final class MetricsEndpoint: Sendable {
    private let rounds: ScrapeRounds
    private let gatherer: Gatherer
    private let nanoseconds: @Sendable () -> UInt64
    private let maximumRequests: Int
    private let requestsInFlight = Atomic<Int>(0)
    private let cursors: LockedState<ScraperCursors>
    private let protobuf: (@Sendable ([MetricFamily]) throws -> [UInt8])?

    /// `protobuf` renders families for scrapers that ask for that format; nil offers none.
    package init(
        host: MapHost, gatherer: Gatherer, cursors: LockedState<ScraperCursors>, maximumRequests: Int,
        nanoseconds: @escaping @Sendable () -> UInt64,
        protobuf: (@Sendable ([MetricFamily]) throws -> [UInt8])? = nil
    ) {
        self.protobuf = protobuf
        self.cursors = cursors
        rounds = ScrapeRounds(gatherer: gatherer, nanoseconds: nanoseconds) { host.snapshot(now: $0) }
        self.gatherer = gatherer
        self.maximumRequests = maximumRequests
        self.nanoseconds = nanoseconds
    }

    package func answer(_ request: HTTPRequest) -> HTTPResponse {
        let query: MetricsQuery
        do { query = try MetricsQuery(request, offersProtobuf: protobuf != nil) } catch {
            return .problem(400, "Bad Request", "\(error)")
        }
        guard requestsInFlight.add(1, ordering: .relaxed).newValue <= maximumRequests else {
            requestsInFlight.subtract(1, ordering: .relaxed)
            return .problem(
                503, "Service Unavailable",
                "\(maximumRequests) scrapes are in flight, as many as --web.max-requests allows", retryAfter: 1)
        }
        let patience = ScrapeTimeout.nanoseconds(of: request)
        let (families, move) = gather(for: ScraperIdentity.of(request), deadline: patience.map { nanoseconds() &+ $0 })
        var response = render(families, query)
        response.onCompletion = { completion in
            self.requestsInFlight.subtract(1, ordering: .relaxed)
            if completion == .sent { move() }
        }
        return response
    }

    /// The families for this scraper, and what is to be done once they have been sent.
    private func gather(
        for scraper: String?, deadline: UInt64?
    ) -> (families: [MetricFamily], move: @Sendable () -> Void) {
        guard let gathered = rounds.next(deadline: deadline) else {
            let nothing = Scrape(maps: HostSnapshot(maps: []), sizeDeltas: nil)
            return (gatherer.families(of: Array(repeating: nil, count: gatherer.sharedCount), for: nothing), {})
        }
        let maps = gathered.maps.maps
        let reading = scraper.map { _ in SizeReading(maps, atNanoseconds: gathered.nanoseconds) }
        var deltas: SizeDeltas?
        var move: @Sendable () -> Void = {}
        if let scraper, let reading {
            deltas = cursors.withLock { $0.changes(for: scraper, to: reading, in: maps) }
            move = { self.cursors.withLock { $0.advance(scraper, to: reading) } }
        }
        let scrape = Scrape(maps: gathered.maps, sizeDeltas: deltas, labels: rounds.labels)
        return (gatherer.families(of: gathered.collected, for: scrape), move)
    }

    private func render(_ families: [MetricFamily], _ query: MetricsQuery) -> HTTPResponse {
        let families = query.select(families)
        let body: [UInt8]
        if let dialect = query.format.dialect {
            body = TextFormat.render(families, as: dialect)
        } else {
            do { body = try protobuf?(families) ?? [] } catch {
                return .problem(500, "Internal Server Error", "the families cannot be written as protobuf: \(error)")
            }
        }
        var response = HTTPResponse.bytes(body, contentType: query.contentType)
        response.headers.append(("Vary", "Accept, Accept-Encoding"))
        if query.takesGzip, let compressed = Gzip.compress(body) {
            response.body = compressed
            response.headers.append(("Content-Encoding", "gzip"))
        }
        return response
    }
}
