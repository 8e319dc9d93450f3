import HTTPServer
import TestSupport
import Testing

@Suite("Durations of requests")
struct RequestDurationsTests {
    @Test("each answered request is counted once, in the bucket of its time")
    func counts() throws {
        let fixture = try Fixture([])
        for _ in 0..<5 { _ = try HTTPClient.request("GET", "/none", port: fixture.port) }
        _ = fixture.waitForFinished(5)
        #expect(eventually { fixture.server.statistics.requestsInFlight == 0 })
        let statistics = fixture.server.statistics
        #expect(statistics.durations.counts.reduce(0, +) == statistics.requests.values.reduce(0, +))
        #expect(statistics.durations.counts.reduce(0, +) == 5)
        #expect(statistics.durations.counts.count == RequestDurations.bounds.count + 1)
        #expect(statistics.durations.sumNanoseconds > 0)
    }

    @Test("before any request all buckets are there at 0")
    func zeros() throws {
        let durations = try Fixture([]).server.statistics.durations
        #expect(durations.counts.allSatisfy { $0 == 0 })
        #expect(durations.sumNanoseconds == 0)
    }
}
