import TestSupport
import Testing

@Suite("ExpositionChecker")
struct ExpositionCheckerTests {
    private static let good = #"""
        # HELP a_total Counts \\ and \n "things".
        # TYPE a_total counter
        a_total 3
        # HELP b \#("")
        # TYPE b gauge
        b{x="1",y="say \"hi\", a\\b\nc {}"} -1.5
        b{x="2",y=""} NaN
        b{x="3",y="é"} +Inf
        # HELP c Time.
        # TYPE c histogram
        c_bucket{le="0.1"} 1
        c_bucket{le="+Inf"} 2
        c_sum 1e+21
        c_count 2

        """#

    @Test("a good body yields its families, samples and unescaped texts")
    func readsGoodBody() throws {
        let page = try CheckedExposition(Array(Self.good.utf8))
        #expect(page.families.map(\.name) == ["a_total", "b", "c"])
        #expect(page.families.map(\.type) == ["counter", "gauge", "histogram"])
        #expect(page.family("a_total")?.help == "Counts \\ and \n \"things\".")
        #expect(page.family("b")?.help == "")
        #expect(page.family("d") == nil)
        #expect(page.value("a_total") == 3)
        #expect(page.value("b", ["x": "1", "y": "say \"hi\", a\\b\nc {}"]) == -1.5)
        #expect(page.value("b", ["y": "", "x": "2"])?.isNaN == true)
        #expect(page.value("b", ["x": "3", "y": "é"]) == .infinity)
        #expect(page.value("c_sum") == 1e21)
    }

    @Test("value wants exactly the labels, sum at least them")
    func looksUpByLabels() throws {
        let page = try CheckedExposition(Array(Self.good.utf8))
        #expect(page.value("b", ["x": "1"]) == nil)
        #expect(page.value("c_bucket") == nil)
        #expect(page.sum("c_bucket") == 3)
        #expect(page.sum("c_bucket", ["le": "0.1"]) == 1)
        #expect(page.sum("c_bucket", ["le": "0.2"]) == nil)
        #expect(page.sum("d") == nil)
        #expect(page.samples("b").count == 3)
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let body: String
        let problem: ExpositionProblem

        init(_ line: Int, _ kind: ExpositionProblem.Kind, _ body: String) {
            self.body = body
            problem = ExpositionProblem(line: line, kind)
        }

        var testDescription: String { "\(problem)" }
    }

    private static let head = "# HELP a x\n# TYPE a gauge\n"
    private static let headOfB = "# HELP b x\n# TYPE b gauge\n"

    private static let badStructures = [
        Bad(0, .emptyBody, ""),
        Bad(3, .missingFinalNewline, head + "a 1"),
        Bad(1, .emptyLine, "\n"),
        Bad(3, .emptyLine, head + "\na 1\n"),
        Bad(4, .emptyLine, head + "a 1\n\n"),
        Bad(1, .missingHelp("a"), "a 1\n"),
        Bad(1, .missingHelp("a"), "# TYPE a gauge\na 1\n"),
        Bad(2, .missingType("a"), "# HELP a x\na 1\n"),
        Bad(3, .missingType("a"), "# HELP a x\na 1\n" + headOfB + "b 1\n"),
        Bad(3, .typeAfterSamples("a"), "# HELP a x\na 1\n# TYPE a gauge\n"),
        Bad(3, .duplicateFamily("a"), head + "# TYPE a gauge\na 1\n"),
        Bad(2, .duplicateHelp("a"), "# HELP a x\n# HELP a x\n# TYPE a gauge\na 1\n"),
        Bad(6, .duplicateFamily("a"), head + "a 1\n" + "# HELP b x\n# TYPE b gauge\n# TYPE a gauge\nb 1\n"),
        Bad(7, .duplicateFamily("a"), head + "a 1\n" + headOfB + "b 1\n" + head + "a{x=\"1\"} 1\n"),
        Bad(7, .interleavedFamily("a"), head + "a 1\n" + headOfB + "b 1\na{x=\"1\"} 1\n"),
        Bad(4, .unsortedFamily("a", after: "b"), headOfB + "b 1\n" + head + "a 1\n"),
        Bad(2, .familyWithoutSamples("a"), head),
        Bad(3, .familyWithoutSamples("a"), head + headOfB + "b 1\n"),
        Bad(4, .duplicateSeries("a 2"), head + "a 1\na 2\n"),
        Bad(
            4, .duplicateSeries("a{y=\"2\",x=\"1\"} 1"), head + "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 1\n"),
        Bad(3, .missingHelp("c"), "# HELP c x\n# TYPE c histogram\nc 1\n"),
    ]

    private static let badLines = [
        Bad(1, .malformedComment, "# a comment\n"),
        Bad(1, .malformedComment, "# EOF\n"),
        Bad(1, .malformedComment, "# UNIT a x\n"),
        Bad(1, .malformedComment, "#HELP a x\n"),
        Bad(1, .badName("1a"), "# HELP 1a x\n"),
        Bad(2, .unknownType("gage"), "# HELP a x\n# TYPE a gage\n"),
        Bad(1, .badEscape, "# HELP a \\\"x\\\"\n"),
        Bad(1, .badEscape, "# HELP a ends in \\\n"),
        Bad(3, .badEscape, head + "a{x=\"\\t\"} 1\n"),
        Bad(3, .malformedSample, head + "a{x=\"\\\"} 1\n"),
        Bad(3, .malformedSample, head + "a{x=\"1} 1\n"),
        Bad(3, .malformedSample, head + "a{x=1} 1\n"),
        Bad(3, .malformedSample, head + "a{x=\"1\" } 1\n"),
        Bad(3, .badName(""), head + "a{x=\"1\",=} 1\n"),
        Bad(3, .badName("}"), head + "a{}=1\n"),
        Bad(3, .badName(" x"), head + "a{ x=\"1\"} 1\n"),
        Bad(3, .badName("x:y"), head + "a{x:y=\"1\"} 1\n"),
        Bad(3, .duplicateLabel("x"), head + "a{x=\"1\",x=\"2\"} 1\n"),
        Bad(3, .badName(""), head + " 1\n"),
        Bad(3, .badName("a-b"), head + "a-b 1\n"),
        Bad(3, .malformedSample, head + "a\n"),
        Bad(3, .badValue(""), head + "a \n"),
        Bad(3, .badValue(" 1"), head + "a  1\n"),
        Bad(3, .badValue("1 1700000000"), head + "a 1 1700000000\n"),
        Bad(3, .badValue("inf"), head + "a inf\n"),
        Bad(3, .badValue("nan"), head + "a nan\n"),
        Bad(3, .badValue("0x1p3"), head + "a 0x1p3\n"),
        Bad(3, .badValue("1e"), head + "a 1e\n"),
        Bad(3, .badValue("1\r"), head + "a 1\r\n"),
    ]

    private static let histogram = "# HELP h x\n# TYPE h histogram\n"
    private static let whole = "h_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"

    private static let badHistograms = [
        (ExpositionProblem.HistogramFault.unorderedBounds, "h_bucket{le=\"1.0\"} 1\nh_sum 1\nh_count 1\n"),
        (.unorderedBounds, "h_bucket{le=\"2.0\"} 1\nh_bucket{le=\"1.0\"} 1\nh_sum 1\nh_count 1\n"),
        (.unorderedBounds, "h_sum 1\nh_count 1\n"),
        (.badBound("1"), "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"),
        (.badBound("x"), "h_bucket{le=\"x\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"),
        (.shrinkingBuckets, "h_bucket{le=\"1.0\"} 3\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"),
        (.misplacedBound, "h_bucket 3\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"),
        (.misplacedBound, "h_bucket{le=\"+Inf\"} 2\nh_sum{le=\"1.0\"} 3\nh_count 2\n"),
        (.missingSumOrCount, "h_bucket{le=\"+Inf\"} 2\nh_count 2\n"),
        (.missingSumOrCount, "h_bucket{le=\"+Inf\"} 2\nh_sum 2\n"),
        (.missingSumOrCount, "h_bucket{le=\"+Inf\"} 2\nh_count 2\nh_sum 2\n"),
        (.countsDiffer, "h_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 3\n"),
        (.unorderedBounds, whole + "h_count{x=\"1\"} 2\n"),
        (.missingSumOrCount, "h_bucket{x=\"1\",le=\"+Inf\"} 2\nh_bucket{x=\"2\",le=\"+Inf\"} 2\nh_sum 3\nh_count 3\n"),
    ]

    @Test("histograms that do not add up are refused", arguments: badHistograms)
    func refusesHistograms(fault: ExpositionProblem.HistogramFault, lines: String) throws {
        let body = Array((Self.histogram + lines).utf8)
        let problem = ExpositionProblem(line: lines.split(separator: "\n").count + 2, .badHistogram("h", fault))
        #expect(throws: problem) { try CheckedExposition(body) }
        _ = try CheckedExposition(Array((Self.histogram + Self.whole).utf8))
    }

    @Test("bodies with a wrong structure are refused at their line", arguments: badStructures)
    func refusesStructures(bad: Bad) {
        #expect(throws: bad.problem) { try CheckedExposition(Array(bad.body.utf8)) }
    }

    @Test("malformed lines are refused at their number", arguments: badLines)
    func refusesLines(bad: Bad) {
        #expect(throws: bad.problem) { try CheckedExposition(Array(bad.body.utf8)) }
    }

    @Test("bytes that are no UTF-8 are refused")
    func refusesInvalidUTF8() {
        #expect(throws: ExpositionProblem(line: 0, .notUTF8)) {
            try CheckedExposition(Array(Self.head.utf8) + [0x61, 0x20, 0xff, 0x0a])
        }
    }
}
