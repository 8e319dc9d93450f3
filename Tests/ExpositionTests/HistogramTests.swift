import Exposition
import TestSupport
import Testing

@Suite("Histograms")
struct HistogramTests {
    /// The bounds of the two histograms of durations, in nanoseconds.
    private static let durations: [UInt64] = [
        100, 250, 500, 1_000, 2_500, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    ]

    @Test("buckets are printed cumulative, up to +Inf, then sum and count")
    func printsBuckets() {
        var family = MetricFamily(histogram: "h_seconds", help: "x")
        family.append(
            LabelSet(["op": "load"]),
            HistogramValue(
                HistogramBounds(nanoseconds: [250, 1_000_000_000]), counts: [3, 0, 2], sumNanoseconds: 4_000_000_750))
        let printed = String(decoding: TextFormat.render([family]), as: UTF8.self)
        #expect(
            printed == """
                # HELP h_seconds x
                # TYPE h_seconds histogram
                h_seconds_bucket{op="load",le="2.5e-07"} 3
                h_seconds_bucket{op="load",le="1.0"} 3
                h_seconds_bucket{op="load",le="+Inf"} 5
                h_seconds_sum{op="load"} 4.00000075
                h_seconds_count{op="load"} 5

                """)
    }

    @Test("bounds are written as floats, and small ones with an exponent")
    func writesBounds() throws {
        let bounds = HistogramBounds(nanoseconds: Self.durations)
        var family = MetricFamily(histogram: "h", help: "x")
        family.append(LabelSet(), HistogramValue(bounds, counts: Array(repeating: 1, count: 12), sum: .real(0.5)))
        let page = try CheckedExposition(TextFormat.render([family]))
        #expect(
            page.samples("h_bucket").map { $0.labels["le"] } == [
                "1e-07", "2.5e-07", "5e-07", "1e-06", "2.5e-06", "1e-05", "0.0001", "0.001", "0.01", "0.1", "1.0",
                "+Inf",
            ])
        #expect(page.value("h_count") == 12)
        #expect(page.value("h_sum") == 0.5)
    }

    @Test("random histograms are read back as they were")
    func readsBack() throws {
        var generator = SeededGenerator(seed: TestSeed.value)
        var family = MetricFamily(histogram: "h", help: "x")
        var expected: [[UInt64]] = []
        let bounds = HistogramBounds(nanoseconds: Self.durations)
        for number in 0..<50 {
            let counts = (0..<12).map { _ in UInt64.random(in: 0..<1_000, using: &generator) }
            expected.append(counts)
            family.append(LabelSet(["x": "\(number)"]), HistogramValue(bounds, counts: counts, sumNanoseconds: 0))
        }
        let page = try CheckedExposition(TextFormat.render([family]))
        for (number, counts) in expected.enumerated() {
            let buckets = page.samples("h_bucket", ["x": "\(number)"]).map(\.value)
            let single = zip(buckets, [0] + buckets).map { UInt64($0 - $1) }
            #expect(single == counts, "\(TestSeed.note)")
            #expect(page.value("h_count", ["x": "\(number)"]) == Double(counts.reduce(0, +)))
        }
    }

    @Test("a number in a histogram, a histogram in a gauge, and counts that fit no bounds trap")
    func mistakesTrap() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricFamily("h", .histogram, help: "x", value: .count(1))
        }
        await #expect(processExitsWith: .failure) {
            var family = MetricFamily("g", .gauge, help: "x")
            family.append(LabelSet(), HistogramValue(HistogramBounds([1]), counts: [0, 0], sum: .real(0)))
        }
        await #expect(processExitsWith: .failure) {
            _ = HistogramValue(HistogramBounds([1]), counts: [0], sum: .real(0))
        }
        await #expect(processExitsWith: .failure) {
            _ = HistogramValue(HistogramBounds([1]), counts: [0, 0], sum: .real(0), exemplars: [nil])
        }
        await #expect(processExitsWith: .failure) {
            let exponential = ExponentialCounts(
                schema: 3, zeroThreshold: 0, zeroCount: 1, firstIndex: 0, counts: [1])
            _ = HistogramValue(HistogramBounds([1]), counts: [1, 0], sum: .real(0), exponential: exponential)
        }
        await #expect(processExitsWith: .failure) { _ = HistogramBounds([1, 1]) }
        await #expect(processExitsWith: .failure) { _ = HistogramBounds([.infinity]) }
    }
}
