import TestSupport
import Testing

@Suite("Conditional requests")
struct ConditionalRequestTests {
    private let daemon: MapwatchProcess
    private let connection: HTTPConnection

    init() throws {
        daemon = try MapwatchProcess()
        connection = try daemon.connectToData()
        _ = try daemon.data("PUT", "/api/v1/maps/orders", body: "{\"shards\":4}")
    }

    private func ask(
        _ method: String, _ key: String, _ headers: [(String, String)] = [], _ body: String = ""
    ) throws -> HTTPClientResponse {
        try connection.request(method, entry("orders", key), headers: headers, body: Array(body.utf8))
    }

    @Test("put and get show the ETag of the contents, which equal contents share")
    func tags() throws {
        let first = try #require(try ask("PUT", "a", [], "1").header("ETag"))
        #expect(first.wholeMatch(of: /"[0-9a-f]{16}"/) != nil)
        #expect(try ask("GET", "a").header("ETag") == first)
        #expect(try ask("HEAD", "a").header("ETag") == first)
        #expect(try ask("PUT", "b", [], "1").header("ETag") == first)
        let second = try #require(try ask("PUT", "a", [], "2").header("ETag"))
        #expect(second != first)
        #expect(try ask("GET", "a").header("ETag") == second)
        #expect(try ask("PUT", "a", [], "1").header("ETag") == first)
        #expect(try ask("GET", "absent").header("ETag") == nil)
    }

    @Test("a get of what the client has already is a 304 without a body")
    func notModified() throws {
        let tag = try #require(try ask("PUT", "a", [], "value").header("ETag"))
        for list in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
            let answer = try ask("GET", "a", [("If-None-Match", list)])
            #expect(answer.status == 304)
            #expect(answer.header("ETag") == tag)
            #expect(answer.body.isEmpty)
            #expect(answer.header("Content-Length") == "5")
        }
        // The same connection goes on: nothing was sent that nobody read.
        let answer = try ask("GET", "a", [("If-None-Match", "\"other\"")])
        #expect(answer.status == 200)
        #expect(answer.text == "value")
        #expect(try ask("GET", "a", [("If-Match", tag)]).status == 200)
        #expect(try ask("GET", "a", [("If-Match", "\"other\"")]).status == 412)
        #expect(try ask("GET", "absent", [("If-None-Match", "*")]).status == 404)
        var ledger = OperationLedger()
        (ledger.inserts, ledger.loads, ledger.loadMisses) = (1, 7, 1)
        try expect(daemon.scrape(), map: "orders", shards: 4, equals: ledger)
    }

    @Test("a put or delete is done when its condition holds")
    func done() throws {
        let created = try ask("PUT", "a", [("If-None-Match", "*")], "1")
        #expect(created.status == 201)
        let first = try #require(created.header("ETag"))
        let changed = try ask("PUT", "a", [("If-Match", "W/\"x\", \(first)")], "2")
        #expect(changed.status == 204)
        let second = try #require(changed.header("ETag"))
        #expect(try ask("PUT", "a", [("If-Match", "*")], "2").status == 204)
        #expect(try ask("PUT", "a", [("If-None-Match", first)], "3").status == 204)
        #expect(try ask("PUT", "a", [("If-Match", "\"x\""), ("If-Match", second)], "3").status == 412)
        #expect(try ask("GET", "a").text == "3")
        #expect(try ask("DELETE", "a", [("If-Match", "*")]).status == 204)
        #expect(try ask("DELETE", "a", [("If-Match", "*")]).status == 404)
        let again = try #require(try ask("PUT", "a", [], "4").header("ETag"))
        #expect(try ask("DELETE", "a", [("If-Match", again)]).status == 204)
        var ledger = OperationLedger()
        (ledger.inserts, ledger.updates, ledger.deletes, ledger.deleteMisses) = (2, 3, 2, 1)
        ledger.loads = 1
        try expect(daemon.scrape(), map: "orders", shards: 4, equals: ledger)
    }

    @Test("a condition that fails is a 412 that names what is there, and changes and counts nothing")
    func failed() throws {
        let tag = try #require(try ask("PUT", "a", [], "1").header("ETag"))
        let there = "map \"orders\" has key \"a\" with ETag \(tag): "
        try expectFailure("PUT", "a", "If-Match", "\"x\", W/\(tag)", says: there, tag)
        try expectFailure("PUT", "a", "If-None-Match", "*", says: there, tag)
        try expectFailure("PUT", "a", "If-None-Match", tag, says: there, tag)
        try expectFailure("DELETE", "a", "If-Match", "\"x\"", says: there, tag)
        try expectFailure("DELETE", "a", "If-None-Match", "*", says: there, tag)
        let absent = "map \"orders\" has no key \"none\": "
        try expectFailure("PUT", "none", "If-Match", "*", says: absent, nil)
        try expectFailure("PUT", "none", "If-Match", tag, says: absent, nil)
        try expectRefusal("PUT", "a", "If-Match", "unquoted")
        try expectRefusal("GET", "a", "If-None-Match", "*, \"x\"")
        try expectRefusal("DELETE", "a", "If-Match", "")
        var ledger = OperationLedger()
        ledger.inserts = 1
        try expect(daemon.scrape(), map: "orders", shards: 4, equals: ledger)
        #expect(try daemon.page("orders").entries == [Array("a".utf8): Array("1".utf8)])
    }

    private func expectFailure(
        _ method: String, _ key: String, _ header: String, _ value: String, says: String, _ tag: String?
    ) throws {
        let answer = try ask(method, key, [(header, value)], method == "PUT" ? "other" : "")
        #expect(answer.status == 412)
        #expect(answer.header("ETag") == tag)
        let problem = try Problem(answer)
        #expect(problem.detail == says + "\(header) does not hold, and nothing has changed")
        #expect(problem.field == header)
    }

    private func expectRefusal(_ method: String, _ key: String, _ header: String, _ value: String) throws {
        let answer = try ask(method, key, [(header, value)], method == "PUT" ? "other" : "")
        #expect(answer.status == 400)
        let problem = try Problem(answer)
        #expect(problem.field == header)
        #expect(problem.detail.hasSuffix("with commas between, not: \(value)"))
    }

    @Test("eight connections that put what they got plus one, if it still matches, lose no increment")
    func increments() throws {
        let increments = 100
        let path = entry("orders", "counter")
        // A long tail makes the check of a tag long too: whoever stores outside of it is late often enough to be seen.
        let tail = " " + String(repeating: ".", count: 100_000)
        #expect(try ask("PUT", "counter", [("If-None-Match", "*")], "0" + tail).status == 201)
        let daemon = daemon
        let failures = try inParallel(8) { _ in
            let connection = try daemon.connectToData()
            var done = 0
            var failures = 0
            while done < increments {
                let got = try connection.request("GET", path)
                let digits = got.body.prefix { $0 != UInt8(ascii: " ") }
                guard let number = Int(String(decoding: digits, as: UTF8.self)), let tag = got.header("ETag") else {
                    throw ChildProblem(description: "no counter: \(got.status)")
                }
                let put = try connection.request(
                    "PUT", path, headers: [("If-Match", tag)], body: Array("\(number + 1)\(tail)".utf8))
                switch put.status {
                case 204: done += 1
                case 412: failures += 1
                default: throw ChildProblem(description: "a put was answered \(put.status): \(put.text)")
                }
            }
            return failures
        }.reduce(0, +)
        #expect(try ask("GET", "counter").text == "\(8 * increments)\(tail)")
        // Without a clash this would have shown nothing.
        #expect(failures > 0)
        var ledger = OperationLedger()
        (ledger.inserts, ledger.updates) = (1, 8 * increments)
        ledger.loads = 8 * increments + failures + 1
        try expect(daemon.scrape(), map: "orders", shards: 4, equals: ledger)
    }

    @Test("of eight connections that create one entry exactly one does")
    func creations() throws {
        let daemon = daemon
        let created = try inParallel(8) { thread in
            let connection = try daemon.connectToData()
            return try (0..<50).filter { number in
                try connection.request(
                    "PUT", entry("orders", "\(number)"), headers: [("If-None-Match", "*")],
                    body: Array("\(thread)".utf8)
                ).status == 201
            }
        }
        #expect(created.flatMap(\.self).sorted() == Array(0..<50))
        for (thread, numbers) in created.enumerated() {
            for number in numbers { #expect(try ask("GET", "\(number)").text == "\(thread)") }
        }
    }
}
