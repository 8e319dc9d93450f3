import Foundation
import Synchronization
import TestSupport
import Testing

/// Maps that are disturbed on purpose, by requests to the real daemon.
@Suite("Perturbations of a daemon")
struct DaemonPerturbationTests {
    /// With `hash` identity the last byte of a key names its shard.
    private static let options = #"{"shards":256,"hash":"identity"}"#
    private static let shard: UInt8 = 120

    private static func start() throws -> MapwatchProcess { try Chaos.start(options: options) }

    @Test("without --enable-chaos every method is refused with the flag's name, and no series of it is there")
    func offByDefault() throws {
        let daemon = try MapwatchProcess()
        #expect(try daemon.data("PUT", "/api/v1/maps/orders", body: "{}").status == 201)
        for method in ["PUT", "GET", "DELETE"] {
            let answer = try Chaos.send(daemon, method)
            #expect(answer.status == 403)
            #expect(answer.text.contains("--enable-chaos"))
        }
        #expect(try !daemon.web("GET", "/metrics").text.contains("mapwatch_perturbation"))
    }

    @Test("the flag needs a token, and the token's file needs the flag")
    func needsToken() throws {
        let without = try MapwatchProcess.run(["serve", "--enable-chaos"])
        #expect(without.exit == .code(1))
        #expect(without.errors.contains("--chaos.token-file") && without.errors.contains("MAPWATCH_CHAOS_TOKEN"))
        let alone = try MapwatchProcess.run(["serve", "--chaos.token-file", "/nowhere"])
        #expect(alone.exit == .code(1) && alone.errors.contains("--enable-chaos"))
        let folder = try TemporaryFolder()
        let short = try MapwatchProcess.run(
            ["serve", "--enable-chaos", "--chaos.token-file", folder.write("token", "short\n")])
        #expect(short.exit == .code(1) && short.errors.contains("16 to 1024"))
    }

    @Test("a request without the token, or with a wrong one, changes nothing")
    func unauthorized() throws {
        let daemon = try Self.start()
        let body = #"{"kind":"error","shard":120,"seconds":60}"#
        for headers in [[], [("Authorization", "Bearer \(Chaos.token)x")], [("Authorization", "Basic YTpi")]] {
            let answer = try Chaos.send(daemon, "PUT", body: body, headers: headers)
            #expect(answer.status == 401)
            #expect(answer.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
        }
        #expect(try daemon.data("PUT", entry("orders", [Self.shard]), body: "v").status == 201)
        #expect(try Chaos.send(daemon, "GET").text == "[]\n")
    }

    @Test(
        "a failing shard is a 503 that says until when, others serve, and its end is its end",
        arguments: ["error", "stall"])
    func shardIsOut(kind: String) throws {
        let daemon = try Self.start()
        for shard in UInt8.min...UInt8.max {
            #expect(try daemon.data("PUT", entry("orders", [shard]), body: "v").status == 201)
        }
        let started = try Chaos.send(daemon, "PUT", body: "{\"kind\":\"\(kind)\",\"shard\":120,\"seconds\":600}")
        #expect(started.status == 201 && started.text.contains("\"seconds_left\":"), "\(started.text)")
        let refused = try daemon.data("GET", entry("orders", [Self.shard]))
        #expect(refused.status == 503)
        #expect(refused.header("Retry-After").flatMap(Int.init).map { (500...601).contains($0) } == true)
        #expect(refused.text.contains("shard 120 of map \\\"orders\\\"") && refused.text.contains(kind))
        for shard in UInt8.min...UInt8.max where shard != Self.shard {
            #expect(try daemon.data("GET", entry("orders", [shard])).text == "v")
        }
        // What needs the shard among others is refused whole; what needs no shard is not.
        #expect(try daemon.data("POST", "/api/v1/maps/orders/batch", body: Self.batch("a", "x")).status == 503)
        #expect(try daemon.data("POST", "/api/v1/maps/orders/batch", body: Self.batch("a", "b")).status == 200)
        #expect(try daemon.data("GET", "/api/v1/maps/orders/entries").status == 503)
        #expect(try daemon.data("GET", "/api/v1/maps/orders?count=exact").status == 503)
        #expect(try daemon.data("POST", "/api/v1/maps/orders/delete", body: #"{"prefix":"q"}"#).status == 503)
        #expect(try daemon.data("GET", "/api/v1/maps/orders").status == 200)
        #expect(try daemon.data("GET", "/api/v1/maps").status == 200)
        let scrape = try daemon.scrape()
        #expect(scrape.value("mapwatch_perturbation_active", ["map_name": "orders", "kind": kind]) == 1)
        #expect(scrape.value("mapwatch_perturbation_refused_total", ["kind": kind]) == 5)
        #expect(try Chaos.send(daemon, "DELETE", Chaos.path + "?kind=\(kind)").status == 204)
        #expect(try Chaos.send(daemon, "DELETE").status == 404)
        #expect(try daemon.data("GET", entry("orders", [Self.shard])).text == "v")
        #expect(try daemon.scrape().value("mapwatch_perturbation_active", ["map_name": "orders", "kind": kind]) == 0)
    }

    @Test("all perturbations of a map stand at 0 from its creation")
    func seriesFromCreation() throws {
        let scrape = try Self.start().scrape()
        for kind in ["yield", "delay", "error", "stall"] {
            #expect(scrape.value("mapwatch_perturbation_active", ["map_name": "orders", "kind": kind]) == 0)
        }
    }

    @Test("a shard that stands still shows as one, under load from eight clients nobody hangs, and its time ends")
    func stallUnderLoad() async throws {
        let daemon = try Self.start()
        try await onOwnThread {
            let isOver = Flag()
            let served = Tally(), refused = Tally()
            let group = ThreadGroup()
            for client in 0..<8 {
                group.start {
                    guard let connection = try? daemon.connectToData() else { return }
                    var number = client
                    while !isOver.isRaised {
                        number += 1
                        let path = entry("orders", [UInt8(truncatingIfNeeded: number)])
                        switch try? connection.request("PUT", path, body: [1]).status {
                        case 503: refused.add()
                        case 201, 204: served.add()
                        default: return
                        }
                    }
                    connection.close()
                }
            }
            defer {
                isOver.raise()
                group.join()
            }
            #expect(eventually { served.value > 1_000 })
            #expect(try Chaos.send(daemon, "PUT", body: #"{"kind":"stall","shard":120,"seconds":3}"#).status == 201)
            let before = (served: served.value, refused: refused.value)
            try pollUntil("the shard to stand still") {
                try daemon.scrape().value(
                    "map_shard_lock_waiters", ["map_name": "orders", "shard_id": "120"]) == 1
            }
            #expect(eventually { served.value > before.served + 1_000 && refused.value > before.refused })
            try pollUntil("the stall to end by itself") {
                try daemon.data("PUT", entry("orders", [Self.shard]), body: "v").status != 503
            }
            let scrape = try daemon.scrape()
            #expect(scrape.value("map_shard_lock_waiters", ["map_name": "orders", "shard_id": "120"]) == 0)
        }
        #expect(try daemon.terminate(SIGTERM) == .code(0))
    }

    @Test("a delay makes each request for the shard so much longer, and ends")
    func delay() throws {
        let daemon = try Self.start()
        let clock = ContinuousClock()
        func tenPuts() throws -> Duration {
            let connection = try daemon.connectToData()
            defer { connection.close() }
            return try clock.measure {
                for _ in 0..<10 { _ = try connection.request("PUT", entry("orders", [Self.shard]), body: [1]) }
            }
        }
        let body = #"{"kind":"delay","shard":120,"microseconds":10000,"seconds":600}"#
        #expect(try Chaos.send(daemon, "PUT", body: body).status == 201)
        #expect(try tenPuts() >= .milliseconds(100))
        #expect(try Chaos.send(daemon, "DELETE").status == 204)
        #expect(try Chaos.send(daemon, "GET").text == "[]\n")
    }

    @Test("a daemon with a shard that stands still ends in order, and so does the drop of its map")
    func endsInOrder() throws {
        let daemon = try Self.start()
        #expect(try Chaos.send(daemon, "PUT", body: #"{"kind":"stall","shard":1,"seconds":600}"#).status == 201)
        #expect(try daemon.data("DELETE", "/api/v1/maps/orders").status == 204)
        #expect(try daemon.data("PUT", "/api/v1/maps/orders", body: Self.options).status == 201)
        #expect(try daemon.data("PUT", entry("orders", [1]), body: "v").status == 201)
        #expect(try Chaos.send(daemon, "PUT", body: #"{"kind":"stall","shard":1,"seconds":600}"#).status == 201)
        #expect(try daemon.terminate(SIGTERM) == .code(0))
    }

    private static func batch(_ keys: String...) -> String {
        keys.map { "{\"op\":\"get\",\"key\":\"\($0)\"}\n" }.joined()
    }
}
