import AccidentIndicators
import Exposition
import HTTPServer
import Incidents
import InstrumentedMaps
import MapwatchServer

/// `GET /api/v1/status`: the last sample of all maps as JSON, and with `?map=NAME` the last 120 s of one.
///
/// Concurrency: any thread. Reads what the sampler found in its last second, so that any number of open pages costs the
/// maps nothing: no snapshot is taken.
struct StatusEndpoint: Sendable {
    let sampler: IndicatorSampler
    let scrapers: @Sendable () -> [Scraper]
    /// The scenario on the stage of a demo.
    let playing: @Sendable () -> DemoStage.Playing?
    /// Newest first.
    let incidents: @Sendable () -> [IncidentArchive.Listed]
    let startedAt: UInt64
    let maximumBytes: Int
    let nanoseconds: @Sendable () -> UInt64

    func answer(_ request: HTTPRequest) -> HTTPResponse {
        let query: StatusQuery
        do { query = try StatusQuery(request.target) } catch { return .problem(400, "Bad Request", "\(error)") }
        let now = nanoseconds()
        let sample = sampler.sample
        let document = StatusDocument(sample: sample, now: now)
        var line = JSONLine()
        line.add("version", Version.text)
        line.add("uptime_seconds", Double(now &- startedAt) / 1e9)
        line.add("t", sample.nanoseconds / 1_000_000)
        line.add("allocated_bytes", sample.maps.reduce(0) { $0 + $1.sums.allocatedBytes })
        if maximumBytes == .max { line.addNull("max_bytes") } else { line.add("max_bytes", maximumBytes) }
        if let playing = playing() {
            line.add("playing", json: StatusDocument.playing(playing))
        } else {
            line.addNull("playing")
        }
        line.add("maps", json: document.maps(lines: sampler.lines(of:)))
        line.add("scrapers", json: document.scrapers(scrapers()))
        line.add("incidents", json: StatusDocument.incidents(incidents()))
        if let selected = selected(query, sample) {
            line.add("selected", json: selected)
        } else {
            line.addNull("selected")
        }
        return respond(line.line(), to: request)
    }

    /// The map that was asked for; nil when none was, or when it does not stand or was not sampled yet.
    private func selected(_ query: StatusQuery, _ sample: IndicatorSample) -> [UInt8]? {
        guard let map = sample.maps.first(where: { $0.name == query.map }),
            let window = sampler.window(of: map.incarnation)
        else { return nil }
        return StatusDocument.selected(map.name, window, seconds: query.seconds, heat: query.heat)
    }

    private func respond(_ body: [UInt8], to request: HTTPRequest) -> HTTPResponse {
        var response = HTTPResponse.bytes(body, contentType: "application/json")
        response.headers.append(("Cache-Control", "no-store"))
        response.headers.append(("Vary", "Accept-Encoding"))
        if Negotiation.takesGzip(acceptEncoding: request.headers.joined("Accept-Encoding")),
            let compressed = Gzip.compress(body)
        {
            response.body = compressed
            response.headers.append(("Content-Encoding", "gzip"))
        }
        return response
    }
}
