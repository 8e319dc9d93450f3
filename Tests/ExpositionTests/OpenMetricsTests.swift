import Exposition
import TestSupport
import Testing

@Suite("OpenMetrics")
struct OpenMetricsTests {
    private static let families: [MetricFamily] = {
        var histogram = MetricFamily(histogram: "wait_seconds", help: "Waits.")
        let bounds = HistogramBounds(nanoseconds: [1_000, 1_000_000_000])
        histogram.append(
            LabelSet(["m": "a"]), HistogramValue(bounds, counts: [1, 2, 3], sumNanoseconds: 1_500_000_000))
        let rows = LabelTable([LabelSet(["m": "a", "s": "0"]), LabelSet(["m": "a", "s": "\"\\\n"])])
        var column = MetricFamily("busy_seconds_total", .counter, help: "Says \"busy\"\\\nin seconds.")
        column.append(rows, .nanoseconds([5, 2_000_000_000]))
        return [
            histogram, column, MetricFamily("b_info", .gauge, help: "x", value: .count(1)),
            MetricFamily("heap_bytes", .gauge, help: "x", value: .real(.infinity)),
        ]
    }()

    @Test("counters lose _total in their heads, units are named, quotes in HELP escaped, and EOF ends it")
    func golden() {
        let printed = String(decoding: TextFormat.render(Self.families, as: .openMetrics), as: UTF8.self)
        #expect(
            printed == #"""
                # HELP b_info x
                # TYPE b_info gauge
                b_info 1
                # HELP busy_seconds Says \"busy\"\\\nin seconds.
                # TYPE busy_seconds counter
                # UNIT busy_seconds seconds
                busy_seconds_total{m="a",s="0"} 0.000000005
                busy_seconds_total{m="a",s="\"\\\n"} 2
                # HELP heap_bytes x
                # TYPE heap_bytes gauge
                # UNIT heap_bytes bytes
                heap_bytes +Inf
                # HELP wait_seconds Waits.
                # TYPE wait_seconds histogram
                # UNIT wait_seconds seconds
                wait_seconds_bucket{m="a",le="1e-06"} 1
                wait_seconds_bucket{m="a",le="1.0"} 3
                wait_seconds_bucket{m="a",le="+Inf"} 6
                wait_seconds_sum{m="a"} 1.5
                wait_seconds_count{m="a"} 6
                # EOF

                """#)
    }

    @Test("an exemplar stands behind its bucket, and in no other format")
    func exemplars() {
        var family = MetricFamily(histogram: "wait_seconds", help: "Waits.")
        let exemplar = Exemplar(
            LabelSet(["shard_id": "07"]), .nanoseconds(2_500_000), nanosecondsSince1970: 1_700_000_000_123_000_000)
        family.append(
            LabelSet(["m": "a"]),
            HistogramValue(HistogramBounds([1]), counts: [3, 0], sum: .real(1), exemplars: [exemplar, nil]))
        func lines(_ dialect: TextFormat.Dialect) -> [Substring] {
            String(decoding: TextFormat.render([family], as: dialect), as: UTF8.self).split(separator: "\n")
        }
        #expect(
            lines(.openMetrics)[3] == #"wait_seconds_bucket{m="a",le="1.0"} 3 # {shard_id="07"} 0.0025 1700000000.123"#)
        #expect(lines(.openMetrics)[4] == #"wait_seconds_bucket{m="a",le="+Inf"} 3"#)
        #expect(lines(.prometheus)[2] == #"wait_seconds_bucket{m="a",le="1.0"} 3"#)
    }

    @Test("without any family there is still an end")
    func empty() {
        #expect(TextFormat.render([], as: .openMetrics) == Array("# EOF\n".utf8))
    }

    @Test("the lines of both dialects are the same bytes")
    func sameLines() {
        func lines(_ dialect: TextFormat.Dialect) -> [Substring] {
            String(decoding: TextFormat.render(Self.families, as: dialect), as: UTF8.self)
                .split(separator: "\n").filter { !$0.hasPrefix("#") }
        }
        #expect(lines(.prometheus) == lines(.openMetrics))
        #expect(lines(.prometheus).count == Self.families.reduce(0) { $0 + $1.seriesCount })
    }

    @Test("a column prints as its rows would one by one")
    func columns() {
        let sets = (0..<20).map { LabelSet(["row": "\($0)"]) } + [LabelSet()]
        let counts = (0..<21).map { UInt64($0) &* 123_456_789_123_456_789 }
        func printed(_ column: MetricColumn, _ single: (Int) -> MetricValue) -> (String, String) {
            var (whole, parts) = (MetricFamily("a", .gauge, help: "x"), MetricFamily("a", .gauge, help: "x"))
            whole.append(LabelTable(sets), column)
            for (index, set) in sets.enumerated() { parts.append(set, single(index)) }
            return (
                String(decoding: TextFormat.render([whole]), as: UTF8.self),
                String(decoding: TextFormat.render([parts]), as: UTF8.self)
            )
        }
        let reals = counts.map { Double($0) / 7 }
        let signed = counts.map { Int64(bitPattern: $0) }
        for (whole, parts) in [
            printed(.counts(counts)) { .count(counts[$0]) }, printed(.nanoseconds(counts)) { .nanoseconds(counts[$0]) },
            printed(.signed(signed)) { .signed(signed[$0]) }, printed(.reals(reals)) { .real(reals[$0]) },
        ] {
            #expect(whole == parts)
        }
    }

    @Test("a column that fits no table traps")
    func mistakesTrap() async {
        await #expect(processExitsWith: .failure) {
            var family = MetricFamily("a", .gauge, help: "x")
            family.append(LabelTable([LabelSet()]), .counts([1, 2]))
        }
    }
}
