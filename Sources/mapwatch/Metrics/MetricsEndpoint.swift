import AccidentIndicators
import Collectors
import Exposition
import HTTPServer
import InstrumentedMaps
import Instruments

/// `/metrics`: one snapshot, gathered, rendered, and the scraper's cursor moved once the body has been sent.
///
/// Concurrency: any thread. Takes no shard lock and walks no entries; the cursors have a lock of their own, held for the
/// comparison of two readings.
final class MetricsEndpoint: Sendable {
    private let host: MapHost
    private let gatherer: Gatherer
    private let nanoseconds: @Sendable () -> UInt64
    private let cursors = LockedState(ScraperCursors())

    init(host: MapHost, gatherer: Gatherer, nanoseconds: @escaping @Sendable () -> UInt64) {
        self.host = host
        self.gatherer = gatherer
        self.nanoseconds = nanoseconds
    }

    func answer(_ request: HTTPRequest) -> HTTPResponse {
        let query: MetricsQuery
        do { query = try MetricsQuery(request) } catch { return .problem(400, "Bad Request", "\(error)") }
        let now = nanoseconds()
        let snapshot = host.snapshot(now: now)
        guard let scraper = ScraperIdentity.of(request) else {
            return render(Scrape(maps: snapshot, sizeDeltas: nil), query)
        }
        let reading = SizeReading(snapshot.maps, atNanoseconds: now)
        let deltas = cursors.withLock { $0.changes(for: scraper, to: reading, in: snapshot.maps) }
        var response = render(Scrape(maps: snapshot, sizeDeltas: deltas), query)
        response.onCompletion = { completion in
            guard completion == .sent else { return }
            self.cursors.withLock { $0.advance(scraper, to: reading) }
        }
        return response
    }

    private func render(_ scrape: Scrape, _ query: MetricsQuery) -> HTTPResponse {
        let body = query.format.render(query.select(gatherer.gather(scrape)))
        var response = HTTPResponse.bytes(body, contentType: query.contentType)
        response.headers.append(("Vary", "Accept, Accept-Encoding"))
        if query.takesGzip, let compressed = Gzip.compress(body) {
            response.body = compressed
            response.headers.append(("Content-Encoding", "gzip"))
        }
        return response
    }
}
