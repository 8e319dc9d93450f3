import Foundation
import TestSupport
import Testing

@Suite("Hostile requests")
struct HostileRequestTests {
    /// `make hostile` sends a million.
    private static let count =
        ProcessInfo.processInfo.environment["MAPWATCH_HOSTILE_REQUESTS"].flatMap { Int($0) } ?? 20_000
    private static let methods = ["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS", "BREW", "get"]
    private static let paths = [
        "/api/v1/maps/", "/api/v1/maps/orders/entries/", "/metrics?scraper=", "/metrics?name[]=", "/metrics?debug=",
        "/",
        "/api/v1/", "/-/", "/api/v1/maps?", "/metrics/",
    ]
    /// Each holds what no map's name may hold, so that none of them creates one.
    private static let names = ["\"", "\n", "\\", "{a=\"b\"}", "A", " ", "\0", "é", "map_name=\"x\",", "\"} 1\nx{y=\""]

    private static func request(_ generator: inout SeededGenerator) -> (method: String, text: String) {
        let method = methods.randomElement(using: &generator) ?? ""
        var target = paths.randomElement(using: &generator) ?? ""
        for _ in 0...Int.random(in: 0...3, using: &generator) {
            target += percentEncoded((names.randomElement(using: &generator) ?? "").utf8)
            target += "\(UInt32.random(in: 0...(.max), using: &generator))"
        }
        return (method, "\(method) \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
    }

    /// Sends requests in batches over connections that are kept open while the server keeps them.
    private static func send(_ count: Int, to port: UInt16, seed: UInt64) throws -> Int {
        var generator = SeededGenerator(seed: seed)
        var answered = 0
        var connection = try HTTPConnection(port: port, timeoutSeconds: 60)
        for _ in 0..<(count / 50) {
            let requests = (0..<50).map { _ in request(&generator) }
            do {
                try connection.send(requests.map(\.text).joined())
                for request in requests {
                    _ = try connection.readResponse(to: request.method)
                    answered += 1
                }
            } catch {
                // A request that ends its connection takes those behind it along.
                connection.close()
                connection = try HTTPConnection(port: port, timeoutSeconds: 60)
            }
        }
        return answered
    }

    /// Series by family, without those by status code: their labels are handlers and codes that the daemon has given.
    /// A look has no deltas: the cursor of whoever takes the census would be pushed out by the names that are sent.
    private static func series(_ daemon: MapwatchProcess) throws -> [String: Int] {
        let page = try daemon.scrape("/metrics?debug=text")
        let counts = page.families.map { ($0.name, $0.samples.count) }
        return Dictionary(uniqueKeysWithValues: counts).filter { $0.key != "mapwatch_http_requests_total" }
    }

    @Test("random methods, paths and names leave the number of series as it was")
    func seriesStay() async throws {
        try await onOwnThread {
            let daemon = try MapwatchProcess()
            _ = try daemon.data("PUT", "/api/v1/maps/orders")
            let before = try Self.series(daemon)
            let seed = TestSeed.value
            let answered = try inParallel(4) { number in
                let port = number.isMultiple(of: 2) ? daemon.dataPort : daemon.metricsPort
                return try Self.send(Self.count / 4, to: port, seed: seed &+ UInt64(number))
            }
            print("hostile requests: \(answered.reduce(0, +)) of \(Self.count) answered, \(TestSeed.note)")
            #expect(answered.allSatisfy { $0 > 0 })
            #expect(try Self.series(daemon) == before)
            let codes = try daemon.scrape().samples("mapwatch_http_requests_total")
            // Handlers and codes are the daemon's own words, so their number is bounded whatever is asked.
            #expect(codes.count < 100)
            #expect(Set(codes.compactMap { $0.labels["handler"] }).isSubset(of: Self.handlers), "\(codes)")
        }
    }

    private static let handlers: Set = [
        "none", "metrics", "healthy", "ready", "landing", "maps", "map", "entry", "entries", "delete", "batch", "mode",
        "reload", "status",
    ]
}
