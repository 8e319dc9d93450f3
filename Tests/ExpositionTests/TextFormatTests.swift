import Exposition
import TestSupport
import Testing

@Suite("TextFormat")
struct TextFormatTests {
    private static let families = [
        MetricFamily("zoo", .gauge, help: "The last.", value: .signed(-7)),
        MetricFamily("empty_total", .counter, help: "Never printed."),
        MetricFamily(
            "requests_total", .counter, help: "Requests: \"quoted\", back\\slash,\nline feed, é.",
            samples: [
                MetricSample(LabelSet(["path": "/b", "code": "200"]), .count(17)),
                MetricSample(LabelSet(["path": "/a", "code": "\"\\\n{},=é"]), .nanoseconds(1_500_000_000)),
                MetricSample(LabelSet(["path": "", "code": "404"]), .real(0.5)),
            ]),
        MetricFamily("Upper", .gauge, help: "", value: .real(.infinity)),
        MetricFamily("a:rule", .gauge, help: "A colon.", value: .count(0)),
        MetricFamily("a_b", .gauge, help: "Sorted by bytes.", value: .count(1)),
    ]

    private static let golden = #"""
        # HELP Upper \#("")
        # TYPE Upper gauge
        Upper +Inf
        # HELP a:rule A colon.
        # TYPE a:rule gauge
        a:rule 0
        # HELP a_b Sorted by bytes.
        # TYPE a_b gauge
        a_b 1
        # HELP requests_total Requests: "quoted", back\\slash,\nline feed, é.
        # TYPE requests_total counter
        requests_total{path="/b",code="200"} 17
        requests_total{path="/a",code="\"\\\n{},=é"} 1.5
        requests_total{path="",code="404"} 0.5
        # HELP zoo The last.
        # TYPE zoo gauge
        zoo -7

        """#

    @Test("families are printed sorted, escaped, each with HELP and TYPE, and none without series")
    func printsGoldenBytes() {
        #expect(String(decoding: TextFormat.render(Self.families), as: UTF8.self) == Self.golden)
    }

    @Test("the order in which families arrive does not show")
    func orderDoesNotMatter() {
        var generator = SeededGenerator(seed: TestSeed.value)
        for _ in 0..<20 {
            let shuffled = Self.families.shuffled(using: &generator)
            #expect(TextFormat.render(shuffled) == Array(Self.golden.utf8), "\(TestSeed.note)")
        }
    }

    @Test("samples keep the order of their collector")
    func samplesKeepOrder() throws {
        var family = MetricFamily("a", .gauge, help: "x")
        let values = ["b", "c", "a"]
        for value in values { family.append(LabelSet(["x": value]), .count(1)) }
        let page = try CheckedExposition(TextFormat.render([family]))
        #expect(page.samples("a").compactMap { $0.labels["x"] } == values)
    }

    @Test("no family, or none with series, is an empty body")
    func nothingIsEmpty() {
        #expect(TextFormat.render([]).isEmpty)
        #expect(TextFormat.render([MetricFamily("a", .gauge, help: "x")]).isEmpty)
    }

    @Test("what is printed is read back as it was, whatever label values hold")
    func survivesTheChecker() throws {
        var generator = SeededGenerator(seed: TestSeed.value)
        let alphabet = Array("\"\\\nn{},= é\u{1F600}\r\0a#")
        var family = MetricFamily("a", .gauge, help: "x \\ \n \" y")
        var expected: [String: Double] = [:]
        for number in 0..<300 {
            let value =
                String(
                    (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                        alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
                    }) + "\(number)"
            family.append(LabelSet(["x": value]), .count(UInt64(number)))
            expected[value] = Double(number)
        }
        let page = try CheckedExposition(TextFormat.render([family]))
        #expect(page.family("a")?.help == "x \\ \n \" y")
        for (value, number) in expected {
            #expect(page.value("a", ["x": value]) == number, "\(TestSeed.note)")
        }
    }
}
