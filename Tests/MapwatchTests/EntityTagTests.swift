import HTTPServer
import Testing

@testable import mapwatch

@Suite("Entity tags")
struct EntityTagTests {
    private static func strong(_ opaque: String) -> EntityTag { EntityTag(opaque: Array(opaque.utf8)) }
    private static func weak(_ opaque: String) -> EntityTag { EntityTag(opaque: Array(opaque.utf8), isWeak: true) }

    @Test(
        "lists of tags are read, with blanks, empty places and commas inside of tags",
        arguments: [
            ("\"a\"", [strong("a")]),
            ("\"a\",\"b\"", [strong("a"), strong("b")]),
            (" \"a\" \t,\t \"b\" ", [strong("a"), strong("b")]),
            (",, \"a\",, ,\"b\" ,", [strong("a"), strong("b")]),
            ("\"a,b\", \"*\"", [strong("a,b"), strong("*")]),
            ("W/\"a\", \"a\"", [weak("a"), strong("a")]),
            ("\"\"", [strong("")]),
            ("W/\"\"", [weak("")]),
            ("\"\u{fc}!#~\"", [strong("\u{fc}!#~")]),
        ])
    func lists(text: String, tags: [EntityTag]) { #expect(EntityTagSelection(parsing: text) == .tags(tags)) }

    @Test("a star selects any", arguments: ["*", " * ", "\t*"])
    func star(text: String) { #expect(EntityTagSelection(parsing: text) == .any) }

    @Test(
        "what is neither a star nor tags is refused",
        arguments: [
            "", " ", ",", ", ,", "a", "\"", "\"a", "a\"", "\"a\"\"b\"", "\"a\" \"b\"", "\"a\", b", "\"a\", *",
            "*, \"a\"", "**", "* *", "w/\"a\"", "W/a", "W/", "W/ \"a\"", "W/\"a",
            "\"a b\"", "\"a\u{7f}\"", "\"a\tb\"", "'a'", "\"a\";\"b\"",
        ])
    func malformed(text: String) throws {
        #expect(EntityTagSelection(parsing: text) == nil)
        for header in ["If-Match", "If-None-Match"] {
            do {
                _ = try EntryConditions([(header, text)])
                Issue.record("\(header): \(text) was taken")
            } catch {
                #expect(error.status == 400)
                #expect(error.field == header)
                #expect(
                    error.detail == "\(header) must be * or tags in double quotes with commas between, not: \(text)")
            }
        }
    }

    @Test("weak tags never match strongly")
    func comparison() {
        let (strong, weak) = (Self.strong("a"), Self.weak("a"))
        #expect(strong.matchesStrongly(strong))
        #expect(!weak.matchesStrongly(strong))
        #expect(!strong.matchesStrongly(weak))
        #expect(!weak.matchesStrongly(weak))
        #expect(weak.matchesWeakly(strong))
        #expect(strong.matchesWeakly(weak))
        #expect(weak.matchesWeakly(weak))
        #expect(!strong.matchesWeakly(Self.strong("b")))
    }

    @Test("the tag of a value is 16 hex digits in quotes, the same for the same bytes and for no other")
    func tagsOfValues() throws {
        var values: [[UInt8]] = [[], [0], [0, 0], [1], Array("abc".utf8), Array("abd".utf8)]
        values += (0..<200).map { Array(repeating: 7, count: $0 + 2) }
        let tags = values.map { EntityTag(of: $0.span) }
        #expect(Set(tags.map(\.description)).count == values.count)
        for (tag, value) in zip(tags, values) {
            #expect(tag == EntityTag(of: value.span))
            #expect("\(tag)".wholeMatch(of: /"[0-9a-f]{16}"/) != nil)
            #expect(EntityTagSelection(parsing: "\(tag)") == .tags([tag]))
        }
    }

    /// Request headers, the tag that is there, and which header fails.
    struct Case: Sendable {
        let headers: [(String, String)]
        let current: EntityTag?
        let failure: EntryConditions.Header?

        init(_ headers: [(String, String)], _ current: EntityTag?, _ failure: EntryConditions.Header?) {
            (self.headers, self.current, self.failure) = (headers, current, failure)
        }
    }

    @Test(
        "conditions hold and fail as RFC 9110 has it",
        arguments: [
            Case([], nil, nil),
            Case([], strong("a"), nil),
            Case([("If-Match", "*")], strong("a"), nil),
            Case([("If-Match", "*")], nil, .ifMatch),
            Case([("if-match", "\"b\", \"a\"")], strong("a"), nil),
            Case([("If-Match", "\"b\""), ("If-Match", "\"a\"")], strong("a"), nil),
            Case([("If-Match", "\"b\"")], strong("a"), .ifMatch),
            Case([("If-Match", "W/\"a\"")], strong("a"), .ifMatch),
            Case([("If-Match", "\"a\"")], nil, .ifMatch),
            Case([("If-None-Match", "*")], nil, nil),
            Case([("If-None-Match", "*")], strong("a"), .ifNoneMatch),
            Case([("If-None-Match", "\"b\"")], strong("a"), nil),
            Case([("If-None-Match", "\"b\", \"a\"")], strong("a"), .ifNoneMatch),
            Case([("If-None-Match", "W/\"a\"")], strong("a"), .ifNoneMatch),
            Case([("If-None-Match", "\"a\"")], nil, nil),
            Case([("If-None-Match", "\"a\""), ("If-Match", "\"b\"")], strong("a"), .ifMatch),
            Case([("If-None-Match", "\"a\""), ("If-Match", "\"a\"")], strong("a"), .ifNoneMatch),
        ])
    func conditions(one: Case) throws {
        var headers = HTTPHeaders()
        for (name, value) in one.headers { headers.append(name: name, value: value) }
        let conditions = try EntryConditions(headers)
        #expect(conditions.failure(for: one.current) == one.failure)
        #expect(conditions.isEmpty == one.headers.isEmpty)
    }
}
