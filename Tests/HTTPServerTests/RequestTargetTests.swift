import HTTPServer
import Testing

@Suite("Request target")
struct RequestTargetTests {
    private static let splits: [(String, [String])] = [
        ("/", [""]),
        ("/a", ["a"]),
        ("/a/", ["a", ""]),
        ("//", ["", ""]),
        ("/a//b", ["a", "", "b"]),
        ("/%61", ["a"]),
        ("/a%2Fb/c", ["a/b", "c"]),
        ("/a%2fb", ["a/b"]),
        ("/a%00b", ["a\0b"]),
        ("/%25", ["%"]),
        ("/..", [".."]),
        ("/a+b", ["a+b"]),
        ("/a?b/c", ["a"]),
    ]

    @Test("the path is split at slashes first and decoded after", arguments: splits)
    func segments(target: String, expected: [String]) throws {
        let parsed = try RequestTarget(parsing: Array(target.utf8))
        #expect(parsed.segments == expected.map { Array($0.utf8) })
    }

    @Test("bytes that are not UTF-8 survive decoding")
    func rawBytes() throws {
        let parsed = try RequestTarget(parsing: Array("/%FF%00%2F%80?%FE=%FD".utf8))
        #expect(parsed.segments == [[0xff, 0x00, 0x2f, 0x80]])
        #expect(parsed.query == [RequestTarget.QueryItem(name: [0xfe], value: [0xfd])])
        #expect(parsed.path == "/%FF%00%2F%80")
    }

    private static let queries: [(String, [(String, String)])] = [
        ("/?a=1&b=2", [("a", "1"), ("b", "2")]),
        ("/?a", [("a", "")]),
        ("/?a=", [("a", "")]),
        ("/?=a", [("", "a")]),
        ("/?a=b=c", [("a", "b=c")]),
        ("/?a+b=c+d", [("a+b", "c+d")]),
        ("/?a%3Db=%26", [("a=b", "&")]),
        ("/?a&&b", [("a", ""), ("b", "")]),
        ("/?b=?", [("b", "?")]),
        ("/?", []),
        ("/?name[]=x&name[]=y", [("name[]", "x"), ("name[]", "y")]),
    ]

    @Test("query items keep their order, and a plus stays a plus", arguments: queries)
    func query(target: String, expected: [(String, String)]) throws {
        let parsed = try RequestTarget(parsing: Array(target.utf8))
        #expect(parsed.query == expected.map { .init(name: Array($0.0.utf8), value: Array($0.1.utf8)) })
    }

    private static let refusals: [(String, RequestTarget.ParseError)] = [
        ("", .notOriginForm),
        ("a", .notOriginForm),
        ("*", .notOriginForm),
        ("http://host/", .notOriginForm),
        ("/a#b", .forbiddenByte(0x23, offset: 2)),
        ("/a b", .forbiddenByte(0x20, offset: 2)),
        ("/a\tb", .forbiddenByte(0x09, offset: 2)),
        ("/\u{7f}", .forbiddenByte(0x7f, offset: 1)),
        ("/é", .forbiddenByte(0xc3, offset: 1)),
        ("/%", .invalidEscape(offset: 1)),
        ("/%a", .invalidEscape(offset: 1)),
        ("/%zz", .invalidEscape(offset: 1)),
        ("/?%g0", .invalidEscape(offset: 2)),
    ]

    @Test("what could be read in two ways is refused", arguments: refusals)
    func refusal(target: String, expected: RequestTarget.ParseError) {
        #expect(throws: expected) { try RequestTarget(parsing: Array(target.utf8)) }
    }

    @Test("8 KiB of target are taken, one byte more is not")
    func length() throws {
        let full = [UInt8(ascii: "/")] + Array(repeating: UInt8(ascii: "a"), count: RequestTarget.maximumLength - 1)
        #expect(try RequestTarget(parsing: full).segments.first?.count == RequestTarget.maximumLength - 1)
        #expect(throws: RequestTarget.ParseError.tooLong(limit: 8192)) { try RequestTarget(parsing: full + [0x61]) }
    }

    @Test("64 query items are taken, 65 are not")
    func queryCount() throws {
        let items = Array(repeating: "a=b", count: 64).joined(separator: "&")
        #expect(try RequestTarget(parsing: Array("/?\(items)".utf8)).query.count == 64)
        #expect(throws: RequestTarget.ParseError.tooManyQueryItems(limit: 64)) {
            try RequestTarget(parsing: Array("/?\(items)&c".utf8))
        }
    }

    @Test("query values are found by name, all of them and the first")
    func lookup() throws {
        let parsed = try RequestTarget(parsing: Array("/?a=1&b=2&a=3".utf8))
        #expect(parsed.firstQueryValue("a") == Array("1".utf8))
        #expect(parsed.queryValues("a") == [Array("1".utf8), Array("3".utf8)])
        #expect(parsed.firstQueryValue("c") == nil)
    }
}
