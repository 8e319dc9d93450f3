import TestSupport
import Testing

/// A request that must be refused, and what the answer must say.
private struct RefusedRequest: CustomTestStringConvertible {
    let method: String
    let path: String
    let body: [UInt8]
    let status: Int
    let says: [String]
    let field: String?
    let allow: String?

    init(
        _ method: String, _ path: String, _ body: String = "", is status: Int, says: String..., field: String? = nil,
        allow: String? = nil
    ) {
        self.init(method, path, bytes: Array(body.utf8), is: status, says: says, field: field, allow: allow)
    }

    init(
        _ method: String, _ path: String, bytes: [UInt8], is status: Int, says: [String], field: String? = nil,
        allow: String? = nil
    ) {
        self.method = method
        self.path = "/api/v1/maps" + path
        body = bytes
        self.status = status
        self.says = says
        self.field = field
        self.allow = allow
    }

    var testDescription: String {
        "\(method) \(path.prefix(80)) with \(String(decoding: body.prefix(80), as: UTF8.self))"
    }
}

@Suite("Refusals of the data API")
struct RefusalTests {
    private static let options = [
        RefusedRequest("PUT", "/new", "{\"shard\":4}", is: 422, says: "\"shard\" is unknown", field: "shard"),
        RefusedRequest("PUT", "/new", "{\"shards\":\"4\"}", is: 422, says: "whole number", "\"4\"", field: "shards"),
        RefusedRequest("PUT", "/new", "{\"shards\":1.5}", is: 422, says: "whole number", "1.5", field: "shards"),
        RefusedRequest("PUT", "/new", "{\"shards\":0}", is: 422, says: "1 to 1024", "not 0", field: "shards"),
        RefusedRequest("PUT", "/new", "{\"shards\":5000}", is: 422, says: "1 to 1024", "not 5000", field: "shards"),
        RefusedRequest("PUT", "/new", "{\"strategy\":\"striped\"}", is: 422, says: "\"striped\"", field: "strategy"),
        RefusedRequest("PUT", "/new", "{\"strategy\":7}", is: 422, says: "must be a text, not 7", field: "strategy"),
        RefusedRequest(
            "PUT", "/new", "{\"strategy\":\"rwlock\",\"shards\":2}", is: 422, says: "\"rwlock\" has one lock",
            field: "shards"),
        RefusedRequest("PUT", "/Orders", "{}", is: 422, says: "\"Orders\"", "1 to 64 characters", field: "name"),
        RefusedRequest("PUT", "/a%20b", "{}", is: 422, says: "\"a b\"", field: "name"),
        RefusedRequest("PUT", "/a%2Fb", "{}", is: 422, says: "\"a/b\"", field: "name"),
        RefusedRequest(
            "PUT", "/" + String(repeating: "x", count: 65), "{}", is: 422, says: "1 to 64 characters", field: "name"),
        RefusedRequest("PUT", "/new", "{\"shards\":", is: 400, says: "not valid JSON", "{\"shards\":"),
        RefusedRequest("PUT", "/new", "[]", is: 400, says: "expected an object of options, not a list"),
        RefusedRequest("PUT", "/orders", "{\"shards\":4}", is: 409, says: "stands with", "3 shards", "4 shards"),
    ]

    private static let entries = [
        RefusedRequest("PUT", "/orders/entries/", "v", is: 400, says: "0 bytes", "1 to 1024 bytes"),
        RefusedRequest("GET", "/orders/entries/", is: 400, says: "0 bytes"),
        RefusedRequest("DELETE", "/orders/entries/", is: 400, says: "0 bytes"),
        RefusedRequest("PUT", "/orders/entries/" + longKey, "v", is: 400, says: "1025 bytes", "1 to 1024 bytes"),
        RefusedRequest("GET", "/orders/entries/" + longKey, is: 400, says: "1025 bytes"),
        RefusedRequest(
            "PUT", "/orders/entries/k", bytes: Array(repeating: 1, count: 1 << 20 + 1), is: 413,
            says: ["1048577", "1048576"]),
        RefusedRequest("PUT", "/absent/entries/k", "v", is: 404, says: "assignment to entry in nil map", "absent"),
        RefusedRequest("GET", "/absent/entries/k", is: 404, says: "\"absent\" is not declared"),
        RefusedRequest("DELETE", "/absent/entries/k", is: 404, says: "\"absent\" is not declared"),
        RefusedRequest("GET", "/absent", is: 404, says: "\"absent\" is not declared"),
        RefusedRequest("DELETE", "/absent", is: 404, says: "\"absent\" is not declared"),
        RefusedRequest("PUT", "/orders/entries/k%2", "v", is: 400, says: "two hex digits"),
    ]

    private static let methods = [
        RefusedRequest("DELETE", "", is: 405, says: "DELETE", allow: "GET, HEAD"),
        RefusedRequest("POST", "/orders", "{}", is: 405, says: "POST", allow: "DELETE, GET, HEAD, PUT"),
        RefusedRequest("POST", "/orders/entries/k", "v", is: 405, says: "POST", allow: "DELETE, GET, HEAD, PUT"),
        RefusedRequest("PUT", "/orders/entries", "v", is: 405, says: "PUT", allow: "DELETE, GET, HEAD"),
        RefusedRequest("GET", "/orders/batch", is: 405, says: "GET", allow: "POST"),
        RefusedRequest("PUT", "/orders/delete", "{}", is: 405, says: "PUT", allow: "POST"),
        RefusedRequest("GET", "/orders/entries/k/more", is: 404, says: "no such path"),
    ]

    private static let listings = [
        RefusedRequest("GET", "/orders/entries?limit=0", is: 400, says: "1 to 10000", "\"0\""),
        RefusedRequest("GET", "/orders/entries?limit=10001", is: 400, says: "1 to 10000", "\"10001\""),
        RefusedRequest("GET", "/orders/entries?limit=many", is: 400, says: "\"many\""),
        RefusedRequest("GET", "/orders/entries?mode=dirty", is: 400, says: "\"dirty\"", "snapshot, live"),
        RefusedRequest("GET", "/orders/entries?prefx=a", is: 400, says: "\"prefx\" is unknown", "prefix"),
        RefusedRequest("GET", "/orders/entries?limit=1&limit=2", is: 400, says: "\"limit\" stands twice"),
        RefusedRequest("GET", "/orders/entries?cursor=gone", is: 404, says: "\"gone\"", "begin again"),
        RefusedRequest("DELETE", "/orders/entries?cursor=gone", is: 404, says: "\"gone\""),
        RefusedRequest("DELETE", "/orders/entries", is: 400, says: "give the cursor"),
        RefusedRequest("GET", "/absent/entries", is: 404, says: "\"absent\" is not declared"),
    ]

    private static let put = "{\"op\":\"put\",\"key\":\"k\",\"value\":\"v\"}\n"

    private static let documents = [
        RefusedRequest(
            "POST", "/orders/batch", put + "{\"op\":\"put\"}\n", is: 400, says: "line 2", "\"key\" is missing"),
        RefusedRequest("POST", "/orders/batch", put + put + "no JSON\n" + put, is: 400, says: "line 3", "no JSON"),
        RefusedRequest("POST", "/orders/batch", put + "\n" + put, is: 400, says: "line 2"),
        RefusedRequest(
            "POST", "/orders/batch", put + "{\"op\":\"add\",\"key\":\"k\"}", is: 400, says: "line 2", "\"add\""),
        RefusedRequest(
            "POST", "/orders/batch", put + "{\"op\":\"get\",\"key\":\"\"}", is: 400, says: "line 2", "0 bytes"),
        RefusedRequest(
            "POST", "/orders/batch", put + "{\"op\":\"put\",\"key\":\"k\"}", is: 400, says: "line 2",
            "needs a \"value\""),
        RefusedRequest(
            "POST", "/orders/batch", put + "{\"op\":\"get\",\"key64\":\"%\"}", is: 400, says: "line 2", "base64"),
        RefusedRequest("POST", "/absent/batch", put, is: 404, says: "assignment to entry in nil map"),
        RefusedRequest("POST", "/orders/delete", "{}", is: 400, says: "either \"prefix\" or \"keys\""),
        RefusedRequest("POST", "/orders/delete", "{\"prefix\":\"a\",\"keys\":[]}", is: 400, says: "either"),
        RefusedRequest("POST", "/orders/delete", "{\"keys\":[\"a\",\"\"]}", is: 400, says: "0 bytes"),
        RefusedRequest(
            "POST", "/orders/delete", "{\"keys\":[\"a\",7]}", is: 400, says: "\"keys\" must hold texts, not 7"),
        RefusedRequest("POST", "/orders/delete", "{\"prefixes\":\"a\"}", is: 400, says: "\"prefixes\" is unknown"),
        RefusedRequest("POST", "/absent/delete", "{\"prefix\":\"a\"}", is: 404, says: "\"absent\" is not declared"),
    ]

    private static let longKey = String(repeating: "k", count: 1025)

    @Test("a refused request says why, in problem+json, and leaves the map and its counters as they were")
    func refusals() throws {
        let daemon = try MapwatchProcess()
        #expect(try daemon.data("PUT", "/api/v1/maps/orders", body: "{\"shards\":3}").status == 201)
        for key in ["a", "b", "c"] { #expect(try daemon.data("PUT", entry("orders", key), body: key).status == 201) }
        let before = try series(daemon)
        #expect(before.count >= 3 * 18)
        for request in Self.options + Self.entries + Self.methods + Self.listings + Self.documents {
            try check(request, daemon)
            #expect(try series(daemon) == before, "after \(request.testDescription)")
        }
        #expect(try daemon.page("orders").entries.count == 3)
        #expect(try daemon.data("GET", "/api/v1/maps/new").status == 404)
        #expect(try daemon.data("GET", "/api/v1/maps/absent").status == 404)
        // The put and the batch to a map that nobody declared.
        #expect(try daemon.scrape().value("mapwatch_undeclared_map_writes_total") == 2)
    }

    @Test("an absent key is a 404 that counts a miss and nothing else")
    func misses() throws {
        let daemon = try MapwatchProcess()
        #expect(try daemon.data("PUT", "/api/v1/maps/orders").status == 201)
        for method in ["GET", "DELETE"] {
            let answer = try daemon.data(method, entry("orders", "nowhere"))
            #expect(answer.status == 404)
            #expect(try Problem(answer).detail == "map \"orders\" has no key \"nowhere\"")
        }
        var ledger = OperationLedger()
        ledger.loadMisses = 1
        ledger.deleteMisses = 1
        try expect(daemon.scrape(), map: "orders", shards: 32, equals: ledger)
    }

    private func check(_ request: RefusedRequest, _ daemon: MapwatchProcess) throws {
        let name = Comment(rawValue: request.testDescription)
        let answer = try daemon.data(request.method, request.path, body: request.body)
        #expect(answer.status == request.status, name)
        #expect(answer.header("Content-Type") == "application/problem+json", name)
        #expect(answer.header("Allow") == request.allow, name)
        let problem = try Problem(answer)
        #expect(problem.status == request.status, name)
        #expect(problem.field == request.field, name)
        for text in request.says { #expect(problem.detail.contains(text), name) }
    }

    /// The maps' series, without those that move by themselves: deltas per scrape, and the lock that maintenance takes
    /// once after the last write.
    private func series(_ daemon: MapwatchProcess) throws -> Set<CheckedExposition.Sample> {
        let samples = try daemon.scrape().families.flatMap(\.samples)
        return Set(
            samples.filter {
                $0.labels["map_name"] != nil && !$0.name.hasPrefix("map_size_delta")
                    && $0.name != "map_shard_lock_acquired_total"
            })
    }
}
