import TestSupport
import Testing

@Suite("The rollback to one lock")
struct ModeTests {
    private func switchTo(_ mode: String, _ daemon: MapwatchProcess) throws -> HTTPClientResponse {
        try daemon.data("PUT", "/api/v1/maps/orders/mode", body: "{\"mode\":\"\(mode)\"}")
    }

    private func shownMode(_ daemon: MapwatchProcess) throws -> [String?] {
        try daemon.scrape().samples("map_info").map { $0.labels["mode"] }
    }

    @Test("a map is switched to one lock and back while four clients write, and no write is lost")
    func switchesUnderLoad() throws {
        let daemon = try MapwatchProcess()
        #expect(try daemon.data("PUT", "/api/v1/maps/orders", body: "{\"shards\":8}").status == 201)
        let ended = Tally()
        let perClient = 500
        let statuses = try inParallel(5) { number -> [Int] in
            defer { ended.add() }
            guard number < 4 else {
                var switches: [Int] = []
                while ended.value < 4 {
                    let mode = switches.count % 2 == 0 ? "global" : "normal"
                    switches.append(try switchTo(mode, daemon).status)
                }
                return switches
            }
            let connection = try daemon.connectToData()
            defer { connection.close() }
            return try (0..<perClient).map { index in
                let target = entry("orders", "\(number)/\(index)")
                return try connection.request("PUT", target, body: Array("\(index)".utf8)).status
            }
        }
        #expect(statuses[4].count > 1)
        #expect(statuses[4].allSatisfy { $0 == 200 })
        for client in 0..<4 { #expect(statuses[client] == Array(repeating: 201, count: perClient)) }
        let map = try daemon.data("GET", "/api/v1/maps/orders?count=exact")
        #expect(map.status == 200)
        #expect(map.text.contains("\"entries\":\(4 * perClient),"))
        let page = try daemon.scrape()
        #expect(page.sum("map_op_insert_total", ["map_name": "orders"]) == Double(4 * perClient))
        #expect(page.sum("map_entries", ["map_name": "orders"]) == Double(4 * perClient))
        for index in [0, perClient - 1] {
            #expect(try daemon.data("GET", entry("orders", "3/\(index)")).text == "\(index)")
        }
    }

    @Test("the mode shows in the map and its series, and the same options still find it standing")
    func modeIsShown() throws {
        let daemon = try MapwatchProcess()
        #expect(try daemon.data("PUT", "/api/v1/maps/orders", body: "{\"mode\":\"global\"}").status == 201)
        #expect(try shownMode(daemon) == ["global"])
        let switched = try switchTo("normal", daemon)
        #expect(switched.status == 200)
        #expect(switched.text.contains("\"mode\":\"normal\""))
        #expect(try shownMode(daemon) == ["normal"])
        let again = try daemon.data("PUT", "/api/v1/maps/orders", body: "{\"mode\":\"global\"}")
        #expect(again.status == 200)
        #expect(again.text.contains("\"mode\":\"normal\""))
    }

    @Test("MAPWATCH_MAPLOCK=1 starts every map behind one lock and says so, and another value is refused")
    func environmentDecides() throws {
        let daemon = try MapwatchProcess(environment: ["MAPWATCH_MAPLOCK": "1"])
        #expect(try daemon.data("PUT", "/api/v1/maps/orders").status == 201)
        #expect(try shownMode(daemon) == ["global"])
        #expect(try switchTo("normal", daemon).status == 200)
        #expect(try shownMode(daemon) == ["normal"])
        #expect(daemon.child.errorLines.contains { $0.contains("every map starts in mode global") })
        let refused = try MapwatchProcess.run(["serve"], environment: ["MAPWATCH_MAPLOCK": "yes"])
        #expect(refused.exit == .code(1))
        #expect(refused.errors.contains("MAPWATCH_MAPLOCK must be 0 or 1, not"))
    }

    @Test("a switch that cannot be is refused with what is wrong, and changes nothing")
    func badSwitches() throws {
        let daemon = try MapwatchProcess()
        #expect(try switchTo("global", daemon).status == 404)
        #expect(try daemon.data("PUT", "/api/v1/maps/orders").status == 201)
        let unknown = try switchTo("one", daemon)
        #expect(unknown.status == 422)
        #expect(unknown.text.contains("mode \\\"one\\\" is unknown; known are normal, global"))
        for body in ["", "{}", "[]", "{\"mode\":1}", "{\"mode\":\"global\",\"a\":1}"] {
            #expect(try daemon.data("PUT", "/api/v1/maps/orders/mode", body: body).status == 400, "\(body)")
        }
        #expect(try daemon.data("POST", "/api/v1/maps/orders/mode").status == 405)
        let count = try daemon.data("GET", "/api/v1/maps/orders?count=roughly")
        #expect(count.status == 400)
        #expect(count.text.contains("not \\\"roughly\\\""))
        #expect(try shownMode(daemon) == ["normal"])
    }
}
