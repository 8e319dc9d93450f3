import HTTPServer
import Testing

@testable import MapwatchServer

@Suite("Scrapers")
struct ScraperIdentityTests {
    private func request(
        _ target: String, method: HTTPMethod = .get, headers: HTTPHeaders = []
    ) throws -> HTTPRequest {
        HTTPRequest(
            head: HTTPRequestHead(
                method: method, target: try RequestTarget(parsing: Array(target.utf8)), headers: headers,
                peerAddress: "127.0.0.1"))
    }

    @Test("a request without a name is the default scraper; a HEAD, a part of the families and a look are none")
    func defaults() throws {
        #expect(ScraperIdentity.of(try request("/metrics")) == "default")
        #expect(ScraperIdentity.of(try request("/metrics?x=1")) == "default")
        #expect(ScraperIdentity.of(try request("/metrics", method: .head)) == nil)
        #expect(ScraperIdentity.of(try request("/metrics?name[]=map_entries&scraper=a")) == nil)
        #expect(ScraperIdentity.of(try request("/metrics?debug=text")) == nil)
        #expect(ScraperIdentity.of(try request("/metrics?scraper=a", method: .head)) == nil)
    }

    @Test("a Prometheus is known by agent and address, and a name given goes before")
    func prometheus() throws {
        let headers: HTTPHeaders = [
            ("User-Agent", "Prometheus/2.42.0"), ("X-Prometheus-Scrape-Timeout-Seconds", "10"),
        ]
        #expect(
            ScraperIdentity.of(try request("/metrics", headers: headers)) == "Prometheus/2.42.0 at 127.0.0.1")
        #expect(ScraperIdentity.of(try request("/metrics?scraper=east", headers: headers)) == "east")
    }

    @Test("a name is kept up to its bound")
    func bound() throws {
        let name = String(repeating: "n", count: 5000)
        #expect(ScraperIdentity.of(try request("/metrics?scraper=\(name)"))?.count == ScraperIdentity.maximumLength)
    }
}
