import TestSupport
import Testing

@Suite("Deletion guard over HTTP")
struct DeletionGuardTests {
    private let daemon: MapwatchProcess

    init() throws { daemon = try MapwatchProcess() }

    /// A map "orders" of 50 entries with this guard, and the cursor of a live listing that has shown ten of them.
    private func open(_ deletionGuard: String) throws -> String {
        #expect(try daemon.data("PUT", "/api/v1/maps/orders", body: "{\"guard\":\"\(deletionGuard)\"}").status == 201)
        for number in 0..<50 { #expect(try daemon.data("PUT", entry("orders", "k\(number)"), body: "v").status == 201) }
        return try #require(try daemon.page("orders", "mode=live&limit=10").cursor)
    }

    private func refused(_ method: String, _ path: String, body: String = "") throws {
        let answer = try daemon.data(method, path, body: body)
        #expect(answer.status == 409)
        let problem = try Problem(answer)
        #expect(problem.field == "guard")
        #expect(problem.detail.contains("while a live iterator is open (no. 1, open for "), "\(problem.detail)")
        #expect(problem.detail.contains("DELETE /api/v1/maps/orders/entries?cursor=TOKEN"))
    }

    @Test("deny: every delete is a 409 that names the open iterator, until it is ended")
    func deny() throws {
        let cursor = try open("deny")
        try refused("DELETE", entry("orders", "k1"))
        try refused("POST", "/api/v1/maps/orders/delete", body: "{\"prefix\":\"k\"}")
        try refused("POST", "/api/v1/maps/orders/delete", body: "{\"keys\":[\"k2\"]}")
        let lines = try daemon.data(
            "POST", "/api/v1/maps/orders/batch",
            body: "{\"op\":\"delete\",\"key\":\"k3\"}\n{\"op\":\"put\",\"key\":\"k4\",\"value\":\"w\"}\n")
        #expect(lines.status == 200)
        let answers = lines.text.split(separator: "\n")
        #expect(answers[0].hasPrefix("{\"status\":409,\"detail\":\"guard"))
        #expect(answers[1] == "{\"status\":204}")
        let scrape = try daemon.scrape()
        #expect(scrape.value("map_op_refused_total", ["map_name": "orders", "reason": "guard"]) == 4)
        #expect(scrape.sum("map_op_delete_total", ["map_name": "orders"]) == 0)
        #expect(try daemon.data("GET", "/api/v1/maps/orders").text.contains("\"guard\":\"deny\""))
        #expect(try daemon.data("DELETE", "/api/v1/maps/orders/entries?cursor=\(cursor)").status == 204)
        #expect(try daemon.data("DELETE", entry("orders", "k1")).status == 204)
        #expect(try daemon.data("DELETE", entry("orders", "k1")).status == 404)
    }

    @Test("stop_iteration: the delete goes on, and the next page is a 410 with the reason")
    func stop() throws {
        let cursor = try open("stop_iteration")
        let none = try daemon.scrape()
        #expect(none.value("map_iterator_aborted_total", ["map_name": "orders", "reason": "guard"]) == 0)
        #expect(none.value("map_iterator_aborted_total", ["map_name": "orders", "reason": "lease"]) == 0)
        #expect(try daemon.data("DELETE", entry("orders", "k1")).status == 204)
        let scrape = try daemon.scrape()
        #expect(scrape.value("map_iterator_aborted_total", ["map_name": "orders", "reason": "guard"]) == 1)
        #expect(scrape.value("map_iterators_open", ["map_name": "orders"]) == 0)
        let gone = try daemon.data("GET", "/api/v1/maps/orders/entries?cursor=\(cursor)")
        #expect(gone.status == 410)
        let reason = "the map's guard is \"stop_iteration\"; begin again without a cursor"
        #expect(try Problem(gone).detail.contains(reason))
        #expect(try daemon.data("GET", "/api/v1/maps/orders/entries?cursor=\(cursor)").status == 404)
        #expect(try daemon.page("orders", "mode=live&limit=100").count == 49)
    }

    @Test("an unknown guard is a 422, another one on a standing map a 409, a locked listing a 400 that says why")
    func badInput() throws {
        let unknown = try daemon.data("PUT", "/api/v1/maps/orders", body: "{\"guard\":\"never\"}")
        #expect(unknown.status == 422)
        #expect(try Problem(unknown).field == "guard")
        _ = try open("deny")
        let other = try daemon.data("PUT", "/api/v1/maps/orders", body: "{\"guard\":\"allow\"}")
        #expect(other.status == 409)
        #expect(try Problem(other).detail.contains("guard \"deny\""))
        let locked = try daemon.data("GET", "/api/v1/maps/orders/entries?mode=locked")
        #expect(locked.status == 400)
        #expect(try Problem(locked).detail.contains("take mode=snapshot, or forEachLocked in Swift"))
    }
}
