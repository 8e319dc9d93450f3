import TestSupport
import Testing

@Suite("Hostile requests")
struct HostileRequestTests {
    /// A listener of the daemon, and paths for the corpus to be aimed at.
    struct Aim: Sendable, CustomStringConvertible {
        let description: String
        let get: String
        let put: String
        /// A path that the corpus only hides in bodies, and the handler that would count it.
        let smuggled: String
        let smuggledHandler: String
    }

    private static let aims = [
        Aim(description: "metrics", get: "/", put: "/-/reload", smuggled: "/-/ready", smuggledHandler: "ready"),
        Aim(
            description: "data", get: "/api/v1/maps", put: "/api/v1/maps/orders/entries/k",
            smuggled: "/api/v1/maps/orders/entries", smuggledHandler: "entries"),
    ]

    @Test("of 73 hostile requests at most 4 are answered with a success, on either listener", arguments: aims)
    func corpus(aim: Aim) throws {
        let daemon = try MapwatchProcess()
        #expect(try daemon.data("PUT", "/api/v1/maps/orders").status == 201)
        var reached: [String] = []
        for request in RequestCorpus.hostile {
            let connection = try HTTPConnection(port: aim.description == "data" ? daemon.dataPort : daemon.metricsPort)
            try connection.send(request.bytes(get: aim.get, put: aim.put, smuggled: aim.smuggled))
            try connection.send("GET /-/end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            connection.finishSending()
            let answer = String(decoding: try connection.readToEnd(), as: UTF8.self)
            if answer.hasPrefix("HTTP/1.1 2") || answer.hasPrefix("HTTP/1.0 2") { reached.append(request.rule) }
        }
        let count = RequestCorpus.hostile.count
        print("hostile requests answered on \(aim): \(reached.count) of \(count): \(reached)")
        #expect(reached.count * 73 <= 4 * count)
        let scrape = try daemon.scrape()
        let hidden = scrape.samples(
            "mapwatch_http_requests_total", ["listener": aim.description, "handler": aim.smuggledHandler])
        #expect(hidden.isEmpty)
        #expect(
            scrape.value("mapwatch_http_rejected_total", ["listener": aim.description, "reason": "bad_request"])! > 0)
    }
}
