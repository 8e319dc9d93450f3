import Exposition
import Testing

@Suite("Names")
struct NameTests {
    @Test("metric names sort by bytes, not by locale")
    func namesSortByBytes() {
        let names: [MetricName] = ["b", "a_b", "B", "a:b", "a", "_x"]
        #expect(names.sorted().map(\.text) == ["B", "_x", "a", "a:b", "a_b", "b"])
    }

    @Test("equal labels are equal sets")
    func equalLabels() {
        #expect(LabelSet(["a": "1", "b": "2"]) == LabelSet(["a": "1", "b": "2"]))
        #expect(LabelSet(["a": "1"]) != LabelSet(["a": "2"]))
        #expect(LabelSet() == LabelSet([:]))
        // The separators cannot be forged by a value.
        #expect(LabelSet(["a": "1\",b=\"2"]) != LabelSet(["a": "1", "b": "2"]))
    }

    @Test("a metric name with a hyphen traps")
    func metricNameWithHyphen() async {
        await #expect(processExitsWith: .failure) { _ = MetricName(stringLiteral: "map-entries") }
    }

    @Test("an empty metric name traps")
    func emptyMetricName() async {
        await #expect(processExitsWith: .failure) { _ = MetricName(stringLiteral: "") }
    }

    @Test("a metric name that begins with a digit traps")
    func metricNameWithDigit() async {
        await #expect(processExitsWith: .failure) { _ = MetricName(stringLiteral: "5xx_total") }
    }

    @Test("a label name with a colon traps")
    func labelNameWithColon() async {
        await #expect(processExitsWith: .failure) { _ = LabelSet(["a:b": "1"]) }
    }

    @Test("an empty label name traps")
    func emptyLabelName() async {
        await #expect(processExitsWith: .failure) { _ = LabelSet(["": "1"]) }
    }

    @Test("the same processes succeed with good names, so it is the names that trap")
    func goodNames() async {
        await #expect(processExitsWith: .success) {
            _ = MetricName(stringLiteral: "map:entries_5xx")
            _ = LabelSet(["_a1": "1"])
        }
    }
}
