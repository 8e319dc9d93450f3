import InstrumentedMaps
import Testing

@Suite("MapName")
struct MapNameTests {
    private static let good = ["a", "0", "-", "_", "orders_2024-11", "az09_-", String(repeating: "x", count: 64)]

    private static let bad = [
        "", "A", "a b", "a.b", "a/b", "é", "a\n", "a\0", "..", "ａ", "a:b", "\"", String(repeating: "x", count: 65),
        "\u{1F600}",
    ]

    @Test("1 to 64 characters of a-z, 0-9, _ and - are a name", arguments: good)
    func accepts(text: String) throws {
        #expect(try MapName(text).text == text)
        #expect(try MapName(utf8: Array(text.utf8)) == MapName(text))
        #expect(try "\(MapName(text))" == text)
    }

    /// The text of a refusal of `refused`.
    private static func refusal(_ refused: String) -> String {
        "map name \"\(refused)\" is not 1 to 64 characters of a-z, 0-9, _ and -"
    }

    @Test("anything else is refused with its text", arguments: bad)
    func refuses(text: String) {
        #expect { _ = try MapName(text) } throws: { "\($0)" == Self.refusal(text) }
        #expect { _ = try MapName(utf8: Array(text.utf8)) } throws: { "\($0)" == Self.refusal(text) }
    }

    @Test("bytes that are no UTF-8 are refused, and a long refused name is cut short")
    func refusesBytes() {
        #expect { _ = try MapName(utf8: [0x61, 0xff]) } throws: { "\($0)" == Self.refusal("a\u{fffd}") }
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 100_000)
        #expect {
            _ = try MapName(utf8: long)
        } throws: {
            "\($0)" == Self.refusal(String(repeating: "x", count: 256))
        }
    }

    @Test("names sort as text")
    func sorts() throws {
        let names = try ["b", "a-1", "a_1", "a1", "0"].map { try MapName($0) }
        #expect(names.sorted().map(\.text) == ["0", "a-1", "a1", "a_1", "b"])
    }
}
