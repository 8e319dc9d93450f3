import AccidentIndicators
import Collectors
import Exposition
import Glibc
import InstrumentedMaps
import Instruments
import ProtobufExposition
import SwiftProtobuf
import TestSupport
import Testing

/// Decoded by swift-protobuf, beside the text of the same families read by the strict checker.
@Suite("Protobuf")
struct ProtobufFormatTests {
    /// As a line of text has it.
    private struct Sample: Equatable {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    private static func decode(_ body: [UInt8]) throws -> [Io_Prometheus_Client_MetricFamily] {
        var families: [Io_Prometheus_Client_MetricFamily] = []
        var rest = body[...]
        while !rest.isEmpty {
            var (length, shift) = (0, 0)
            while let byte = rest.popFirst() {
                length |= Int(byte & 127) << shift
                shift += 7
                if byte < 128 { break }
            }
            try #require(rest.count >= length)
            families.append(try Io_Prometheus_Client_MetricFamily(serializedBytes: Array(rest.prefix(length))))
            rest = rest.dropFirst(length)
        }
        return families
    }

    private static func samples(_ family: Io_Prometheus_Client_MetricFamily) -> [Sample] {
        family.metric.flatMap { metric -> [Sample] in
            let labels = Dictionary(uniqueKeysWithValues: metric.label.map { ($0.name, $0.value) })
            func sample(_ suffix: String, _ value: Double, le: Double? = nil) -> Sample {
                let bound = le.map { ["le": $0 == .infinity ? "+Inf" : $0.description] } ?? [:]
                return Sample(name: family.name + suffix, labels: labels.merging(bound) { $1 }, value: value)
            }
            switch family.type {
            case .counter: return [sample("", metric.counter.value)]
            case .gauge: return [sample("", metric.gauge.value)]
            case .histogram:
                return metric.histogram.bucket.map {
                    sample("_bucket", Double($0.cumulativeCount), le: $0.upperBound)
                } + [
                    sample("_sum", metric.histogram.sampleSum), sample("_count", Double(metric.histogram.sampleCount)),
                ]
            }
        }
    }

    /// Two maps of which one is contended, one shown as one row, and every collector of maps.
    private func loadedFamilies() throws -> [MetricFamily] {
        let host = MapHost { 1_700_000_000.25 }
        for (name, shards) in [("hot", 1), ("cold", 40)] {
            _ = try host.create(MapName(name), MapOptions(shards: shards))
        }
        let map = try host.mapForWriting(MapName("hot"))
        for round in 0..<20 { waitOnce(for: map, round) }
        for number in 0..<20_000 { map.store(Array("key \(number)".utf8), [7]) }
        #expect(map.snapshot().lockWaits.count >= 20)
        #expect(map.snapshot().timings.stores.count > 100)
        let scrape = Scrape(maps: host.snapshot(), sizeDeltas: nil)
        let collectors: [any Collector] = [
            MapCollector(), LatencyCollector(), IndicatorCollector(IndicatorSampler()), IteratorCollector(),
            ArticleNamesCollector(), HostCollector(), ProcessCollector(),
        ]
        return try collectors.flatMap { try $0.collect(scrape) }
    }

    /// One thread stays inside the map's one shard until another waits there.
    private func waitOnce(for map: any InstrumentedMap, _ round: Int) {
        let isInside = Flag()
        let group = ThreadGroup()
        group.start {
            map.update(Array("a".utf8)) {
                isInside.raise()
                while map.snapshot().sum(\.lockWaiters) == 0 { sched_yield() }
                $0 = [UInt8(round)]
            }
        }
        group.start {
            while !isInside.isRaised { sched_yield() }
            map.store(Array("b".utf8), [UInt8(round)])
        }
        group.join()
    }

    @Test("every family has the samples of the text, to the last bit, in the same order")
    func agreesWithText() throws {
        let families = try loadedFamilies()
        let text = try CheckedExposition(TextFormat.render(families))
        let decoded = try Self.decode(ProtobufFormat.render(families))
        #expect(decoded.map(\.name) == text.families.map(\.name))
        for (message, family) in zip(decoded, text.families) {
            #expect(message.help == family.help)
            #expect("\(message.type)" == family.type)
            let lines = family.samples.map { Sample(name: $0.name, labels: $0.labels, value: $0.value) }
            #expect(Self.samples(message) == lines, "\(family.name)")
        }
        #expect(decoded.reduce(0) { $0 + Self.samples($1).count } > 1_000)
    }

    @Test("native buckets hold what the classic ones hold, and what was never observed is native too")
    func nativeBuckets() throws {
        let decoded = try Self.decode(ProtobufFormat.render(try loadedFamilies()))
        for name in ["map_op_duration_seconds", "map_lock_wait_seconds"] {
            let family = try #require(decoded.first { $0.name == name })
            for metric in family.metric {
                let histogram = metric.histogram
                #expect(histogram.schema == 3)
                var (count, index, delta) = (Int64(0), 0, histogram.positiveDelta[...])
                var counts: [(index: Int, count: UInt64)] = []
                for span in histogram.positiveSpan {
                    index += Int(span.offset)
                    for _ in 0..<span.length {
                        count += delta.popFirst() ?? 0
                        counts.append((index, UInt64(count)))
                        index += 1
                    }
                }
                #expect(delta.isEmpty)
                #expect(histogram.zeroCount + counts.reduce(0) { $0 + $1.count } == histogram.sampleCount)
                #expect(!histogram.positiveSpan.isEmpty)
                // Below each classic bound lie all native buckets that end there, and not more than those that begin there.
                for bucket in histogram.bucket where bucket.upperBound.isFinite {
                    let ends = bound(bucket.upperBound, counts) { $0 }
                    let begins = bound(bucket.upperBound, counts) { $0 - 1 }
                    let range = histogram.zeroCount + ends...histogram.zeroCount + begins
                    #expect(range.contains(bucket.cumulativeCount), "\(name) \(bucket.upperBound)")
                }
            }
        }
    }

    /// Observations in buckets of which the bound with that index is not above `seconds`.
    private func bound(
        _ seconds: Double, _ counts: [(index: Int, count: UInt64)], _ edge: (Int) -> Int
    ) -> UInt64 {
        counts.reduce(0) { sum, bucket in
            let exponent = Double(edge(bucket.index)) / 8
            return sum + (exponent <= log2(seconds) + 1e-9 ? bucket.count : 0)
        }
    }

    @Test(
        "the waits and the operations of a contended map have exemplars that lie in their bucket",
        arguments: ["map_lock_wait_seconds", "map_op_duration_seconds"])
    func exemplars(family: String) throws {
        let decoded = try Self.decode(ProtobufFormat.render(try loadedFamilies()))
        let waits = try #require(decoded.first { $0.name == family })
        let hot = try #require(
            waits.metric.first { metric in
                let values = metric.label.map(\.value)
                return values.contains("hot") && (values.count == 1 || values.contains("store"))
            }
        ).histogram
        #expect(hot.bucket.contains { $0.hasExemplar })
        var below = 0.0
        for bucket in hot.bucket {
            if bucket.hasExemplar {
                #expect(bucket.exemplar.value > below && bucket.exemplar.value <= bucket.upperBound)
                #expect(bucket.exemplar.label.map(\.name) == ["shard_id"])
                #expect(bucket.exemplar.label.map(\.value) == ["0"])
                #expect(bucket.exemplar.timestamp.seconds > 1_700_000_000)
            }
            below = bucket.upperBound
        }
    }

    @Test("labels come back as they were given, whatever they hold")
    func labels() throws {
        let values = ["plain", "", "\"", "\\", "\n", "\\n", "a=\"b\",c=\"d\"", "{}", "ü\u{1F600}"]
        var family = MetricFamily("x_total", .counter, help: "Says \"x\"\\\n.")
        let sets = values.map { LabelSet(["a": $0, "b": "2"]) }
        for set in sets { family.append(set, .nanoseconds(1_500_000_000)) }
        family.append(LabelTable(sets + [LabelSet()]), .counts((0...9).map { UInt64($0) }))
        let message = try #require(try Self.decode(ProtobufFormat.render([family])).first)
        #expect(message.help == "Says \"x\"\\\n.")
        #expect(message.metric.map { $0.label.map(\.name) } == Array(repeating: ["a", "b"], count: 18) + [[]])
        #expect(message.metric.compactMap { $0.label.first?.value } == values + values)
        #expect(message.metric.map(\.counter.value) == Array(repeating: 1.5, count: 9) + (0...9).map { Double($0) })
    }

    @Test("families without series are left out, and nothing is an empty body")
    func empty() throws {
        let nothing = try ProtobufFormat.render([])
        let oneWithout = try ProtobufFormat.render([MetricFamily("a", .gauge, help: "x")])
        #expect(nothing == [])
        #expect(oneWithout == [])
    }
}
