import Collectors
import CoreMetrics
import Exposition
import InstrumentedMaps
import MapwatchMetrics
import TestSupport
import Testing

@Suite("swift-metrics on the page")
struct ServiceMetricsTests {
    private func page(_ metrics: ServiceMetrics) throws -> CheckedExposition {
        let families = metrics.collect(Scrape(maps: HostSnapshot(maps: []), sizeDeltas: nil))
        return try CheckedExposition(TextFormat.render(families))
    }

    @Test("each kind of metric is a family of its kind")
    func kinds() throws {
        let metrics = ServiceMetrics(timerBounds: HistogramBounds([0.5, 1]), recorderBounds: HistogramBounds([10]))
        metrics.makeCounter(label: "http.requests", dimensions: []).increment(by: 3)
        metrics.makeFloatingPointCounter(label: "energy_total", dimensions: []).increment(by: 1.5)
        let meter = metrics.makeMeter(label: "queue depth", dimensions: [])
        meter.set(Int64(7))
        meter.decrement(by: 2)
        metrics.makeRecorder(label: "last", dimensions: [], aggregate: false).record(2.5)
        metrics.makeRecorder(label: "sizes", dimensions: [], aggregate: true).record(Int64(11))
        metrics.makeTimer(label: "db-query", dimensions: []).recordNanoseconds(700_000_000)
        let page = try page(metrics)
        #expect(page.family("http_requests_total")?.type == "counter")
        #expect(page.value("http_requests_total") == 3)
        #expect(page.value("energy_total") == 1.5)
        #expect(page.family("queue_depth")?.type == "gauge")
        #expect(page.value("queue_depth") == 5)
        #expect(page.value("last") == 2.5)
        #expect(page.value("sizes_bucket", ["le": "10.0"]) == 0)
        #expect(page.value("sizes_count") == 1)
        #expect(page.family("db_query_seconds")?.type == "histogram")
        #expect(page.value("db_query_seconds_bucket", ["le": "0.5"]) == 0)
        #expect(page.value("db_query_seconds_bucket", ["le": "1.0"]) == 1)
        #expect(page.value("db_query_seconds_sum") == 0.7)
        #expect(page.value("mapwatch_service_metrics_refused_total") == 0)
    }

    @Test(
        "names are spelt in Prometheus' way, and never as mapwatch's own series",
        arguments: [
            ("a.b-c/d", "a_b_c_d"), ("9lives", "_9lives"), ("höhe", "h_he"), ("", "_"), ("x_total", "x"),
            ("map_entries", "app_map_entries"), ("process.cpu", "app_process_cpu"),
        ])
    func names(_ label: String, _ name: String) throws {
        let metrics = ServiceMetrics()
        metrics.makeMeter(label: label, dimensions: []).set(1.0)
        #expect(try page(metrics).value(name) == 1)
    }

    @Test("dimensions become labels in any order, escaped, each name once, and none that Prometheus keeps for itself")
    func dimensions() throws {
        let metrics = ServiceMetrics()
        metrics.makeCounter(label: "hits", dimensions: [("b", "2"), ("a", "1")]).increment(by: 1)
        metrics.makeCounter(label: "hits", dimensions: [("a", "1"), ("b", "2")]).increment(by: 1)
        metrics.makeCounter(label: "odd", dimensions: [("le", "x"), ("a.b", "1"), ("a-b", "2"), ("__name__", "y")])
            .increment(by: 1)
        metrics.makeCounter(label: "quoted", dimensions: [("q", "\"\n\\")]).increment(by: 1)
        let page = try page(metrics)
        #expect(page.value("hits_total", ["a": "1", "b": "2"]) == 2)
        #expect(page.value("odd_total", ["app_le": "x", "a_b": "1", "app___name__": "y"]) == 1)
        #expect(page.value("quoted_total", ["q": "\"\n\\"]) == 1)
    }

    @Test("a series too many, and a name that another kind has in some format, are counted and shown nowhere")
    func refusals() throws {
        let metrics = ServiceMetrics(maximumSeries: 2)
        metrics.makeCounter(label: "one", dimensions: []).increment(by: 1)
        metrics.makeMeter(label: "one", dimensions: []).set(5.0)
        metrics.makeMeter(label: "two", dimensions: []).set(2.0)
        for number in 0..<100 {
            metrics.makeMeter(label: "two", dimensions: [("n", "\(number)")]).set(3.0)
        }
        let page = try page(metrics)
        #expect(page.value("one_total") == 1)
        #expect(page.family("one") == nil)
        #expect(page.family("two")?.samples.count == 1)
        #expect(page.value("mapwatch_service_metrics_refused_total") == 101)
    }

    @Test("a destroyed metric is gone from the page, and makes room for another")
    func destroyed() throws {
        let metrics = ServiceMetrics(maximumSeries: 1)
        let counter = metrics.makeCounter(label: "one", dimensions: [])
        counter.increment(by: 1)
        metrics.destroyCounter(counter)
        #expect(try page(metrics).family("one_total") == nil)
        metrics.makeCounter(label: "one", dimensions: [("again", "yes")]).increment(by: 4)
        #expect(try page(metrics).value("one_total", ["again": "yes"]) == 4)
    }

    @Test("what is no number, or would make a counter fall, is passed over")
    func oddNumbers() throws {
        let metrics = ServiceMetrics()
        metrics.makeCounter(label: "a", dimensions: []).increment(by: -5)
        let sum = metrics.makeFloatingPointCounter(label: "b", dimensions: [])
        sum.increment(by: .nan)
        sum.increment(by: .infinity)
        sum.increment(by: -1)
        metrics.makeTimer(label: "c", dimensions: []).recordNanoseconds(-1)
        let page = try page(metrics)
        #expect(page.value("a_total") == 0)
        #expect(page.value("b_total") == 0)
        #expect(page.value("c_seconds_count") == 1)
    }

    @Test("threads that record through one metric lose nothing")
    func threads() throws {
        let metrics = ServiceMetrics()
        let group = ThreadGroup()
        for _ in 0..<8 {
            group.start {
                for _ in 0..<10_000 {
                    metrics.makeCounter(label: "hits", dimensions: []).increment(by: 1)
                    metrics.makeTimer(label: "took", dimensions: []).recordNanoseconds(1_000_000)
                }
            }
        }
        group.join()
        #expect(try page(metrics).value("hits_total") == 80_000)
        #expect(try page(metrics).value("took_seconds_count") == 80_000)
    }
}
