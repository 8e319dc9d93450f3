import AccidentIndicators
import ConfigurationFile
import Foundation
import InstrumentedMaps
import Testing

/// `deploy/mapwatch.yml` shows every option with its default, and so goes stale with every option that comes.
@Suite("The shipped configuration")
struct ShippedConfigurationTests {
    private let lines: [Substring]

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        lines = try String(contentsOf: root.appending(path: "deploy/mapwatch.yml"), encoding: .utf8)
            .split(separator: "\n")
    }

    /// The options of the lines with so many `#` before them and no space after.
    private func options(marks: ClosedRange<Int>) -> String {
        lines.compactMap { line in
            let count = line.prefix { $0 == "#" }.count
            let text = line.dropFirst(count)
            // Indented options have an even number of spaces, prose has one.
            let isProse = text.hasPrefix(" ") && !text.hasPrefix("  ")
            return marks.contains(count) && !isProse && !text.isEmpty ? String(text) : nil
        }.joined(separator: "\n")
    }

    private func parse(_ text: String) throws -> Configuration { try Configuration(yaml: text, path: "mapwatch.yml") }

    @Test("as it is, the file says nothing")
    func empty() throws {
        #expect(try parse(lines.joined(separator: "\n")) == Configuration())
    }

    @Test("what it shows as defaults are the defaults")
    func defaults() throws {
        let map = try #require(parse(options(marks: 1...1)).maps.first)
        #expect(map.options == (try MapOptions()))
        for indicator in Indicator.allCases {
            let shards = map.options.shards
            #expect(
                map.lines.line(indicator, shards: shards) == IndicatorLines().line(indicator, shards: shards),
                "\(indicator.rawValue)")
        }
    }

    @Test("what is off by default is taken as shown")
    func examples() throws {
        let shown = try parse(options(marks: 1...2))
        #expect(shown.maximumBytes != nil)
        #expect(shown.maps.first?.options.maximumBytes != nil)
        #expect(shown.maps.first?.options.ttlSeconds != nil)
    }

    @Test("no option, line or key of the code is missing")
    func complete() throws {
        let shown = options(marks: 1...2).split(separator: "\n").map { line in
            line.drop { " -".contains($0) }.prefix { $0 != ":" }
        }
        let problem = #expect(throws: ConfigurationError.self) { try parse("nonsense: 1") }
        let keys = try #require(problem?.reason.split(separator: "known are ").last).split(separator: ", ")
        #expect(keys.count >= 2)
        let wanted =
            keys.map(String.init) + OptionField.allCases.map(\.rawValue) + Indicator.allCases.map(\.rawValue)
        for name in wanted { #expect(shown.contains { $0 == name }, "\(name)") }
    }
}
