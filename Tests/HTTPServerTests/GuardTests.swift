import HTTPServer
import TestSupport
import Testing

@Suite("Request guard")
struct GuardTests {
    private static let routes = [
        Route(.get, "/", name: "index") { _, _ in .text("index") },
        Route(.put, "/keys/{key}", name: "key", bodyLimit: 1000) { _, parameters in
            .bytes(parameters["key"] ?? [], contentType: "application/octet-stream")
        },
    ]

    private static let refusals: [(String, Int)] = [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n\r\n", 400),
        ("PUT /keys/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("PUT /keys/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        ("PUT /keys/a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("PUT /keys/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
        ("PUT /keys/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    ]

    @Test("an ambiguous head is refused and its connection closed", arguments: refusals)
    func refusal(bytes: String, status: Int) throws {
        let fixture = try Fixture(Self.routes)
        let connection = try fixture.connect()
        try connection.send(bytes)
        #expect(try connection.readResponse().status == status)
        #expect(try connection.readToEnd().isEmpty)
    }

    // libmicrohttpd answers these itself, and 0.9.75 writes the head of its answer twice: only the status is looked at.
    @Test(
        "a Content-Length that is no number is 400",
        arguments: ["+1", "-1", "0x1", "1, 1", "1 1", "99999999999999999999"])
    func malformedLength(value: String) throws {
        let fixture = try Fixture(Self.routes)
        let connection = try fixture.connect()
        try connection.send("PUT /keys/a HTTP/1.1\r\nHost: a\r\nContent-Length: \(value)\r\n\r\na")
        #expect([400, 413].contains(try connection.readResponse().status))
        _ = try connection.readToEnd()
    }

    @Test("a target over 8 KiB is 414")
    func longTarget() throws {
        let fixture = try Fixture(Self.routes)
        let response = try fixture.connect().request("GET", "/" + String(repeating: "a", count: 8192))
        #expect(response.status == 414)
        #expect(response.text.contains("over the limit of 8192 bytes"))
        #expect(fixture.server.statistics.refused[.uriTooLong] == 1)
        #expect(fixture.waitForFinished(1).first?.handler == "none")
    }

    @Test("over 64 query items are 400, thousands of them too", arguments: [65, 500, 2000])
    func longQuery(count: Int) throws {
        let fixture = try Fixture(Self.routes)
        let items = Array(repeating: "a=b", count: count).joined(separator: "&")
        let response = try fixture.connect().request("GET", "/?\(items)")
        #expect(response.status == 400)
        #expect(response.text.contains("the query has over 64 items"))
        #expect(fixture.server.statistics.refused[.badRequest] == 1)
    }

    @Test("a query reaches the handler whole")
    func query() throws {
        let fixture = try Fixture([
            Route(.get, "/", name: "index") { request, _ in
                .text(
                    request.target.query.map { String(decoding: $0.name + [0x3a] + $0.value, as: UTF8.self) }.joined())
            }
        ])
        #expect(try fixture.connect().request("GET", "/?a=1&b=%26&c").text == "a:1b:&c:")
        #expect(try fixture.connect().request("GET", "/?").text == "")
        #expect(try fixture.connect().request("GET", "/?a=?b").text == "a:?b")
    }

    private static let keys: [(String, [UInt8])] = [
        ("a%2Fb", Array("a/b".utf8)), ("a%00b", [0x61, 0, 0x62]), ("%ff", [0xff]), ("", []),
        ("%25%32%46", Array("%2F".utf8)), ("a+b", Array("a+b".utf8)),
    ]

    @Test("any byte passes as part of a key", arguments: keys)
    func key(encoded: String, expected: [UInt8]) throws {
        let fixture = try Fixture(Self.routes)
        #expect(try fixture.connect().request("PUT", "/keys/\(encoded)").body == expected)
    }

    @Test("HTTP/1.0 is answered and closed")
    func oldVersion() throws {
        let fixture = try Fixture(Self.routes)
        let connection = try fixture.connect()
        try connection.send("GET / HTTP/1.0\r\n\r\n")
        #expect(try connection.readResponse().text == "index")
        #expect(try connection.readToEnd().isEmpty)
    }
}
