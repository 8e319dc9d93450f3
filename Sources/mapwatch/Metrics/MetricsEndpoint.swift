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
        let snapshot = host.snapshot()
        guard let scraper = ScraperIdentity.of(request) else {
            return render(Scrape(maps: snapshot, sizeDeltas: nil))
        }
        let reading = SizeReading(snapshot.maps, atNanoseconds: nanoseconds())
        let deltas = cursors.withLock { $0.changes(for: scraper, to: reading, in: snapshot.maps) }
        var response = render(Scrape(maps: snapshot, sizeDeltas: deltas))
        response.onCompletion = { completion in
            guard completion == .sent else { return }
            self.cursors.withLock { $0.advance(scraper, to: reading) }
        }
        return response
    }

    private func render(_ scrape: Scrape) -> HTTPResponse {
        .bytes(TextFormat.render(gatherer.gather(scrape)), contentType: TextFormat.contentType)
    }
}
