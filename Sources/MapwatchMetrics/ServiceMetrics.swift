public import Collectors
public import CoreMetrics
public import Exposition
import Instruments

// swift-metrics on mapwatch's page: the counters that a service has already, beside its maps.
//
//     let metrics = ServiceMetrics()
//     MetricsSystem.bootstrap(metrics)
//     let server = try MetricsServer(maps: [orders], collectors: [metrics])
//
// One object is both ends: swift-metrics asks it for handlers, a scrape asks it for families.

/// A back end for swift-metrics that shows what it counts as families of a `MetricsServer`.
///
/// Counters are shown as counters (`…_total`), meters and recorders that do not aggregate as gauges, recorders that do as
/// histograms, timers as histograms in seconds (`…_seconds`). Names and dimensions are spelt in Prometheus' way; what would
/// look like a series of mapwatch's own begins with `app_`.
///
/// There are at most `maximumSeries` series. One more, or a name that another kind has already, counts in
/// `mapwatch_service_metrics_refused_total`, and what is recorded through it goes nowhere.
///
/// Concurrency: any thread. Cost: making a handler takes a lock for one look in a dictionary; an increment of a whole number
/// is one atomic addition, everything else one short lock of its own.
public final class ServiceMetrics: MetricsFactory, Collector {
    private struct Key: Sendable, Hashable {
        let name: String
        let labels: LabelSet
    }

    private struct Family: Sendable {
        let empty: MetricFamily
        let kind: MetricSpelling.Kind
        var series: [(labels: LabelSet, text: String, cell: any MetricCell)] = []
    }

    private struct Registry: Sendable {
        var families: [String: Family] = [:]
        var cells: [Key: any MetricCell] = [:]
        var claimed = FamilyNames()
        var refused: UInt64 = 0
    }

    public let name = "service"
    private let registry = LockedState(Registry())
    private let maximumSeries: Int
    private let timerBounds: HistogramBounds
    private let recorderBounds: HistogramBounds

    /// 100 µs to 10 s.
    public static let timerBounds = HistogramBounds([0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10])
    /// 1 to a million, three steps a decade.
    public static let recorderBounds = HistogramBounds([
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6,
    ])

    /// `timerBounds`, in seconds, and `recorderBounds` are the buckets' upper bounds; a histogram counts as one series here
    /// and as one a bucket, and two more, for a scraper.
    public init(
        maximumSeries: Int = 1000, timerBounds: HistogramBounds = ServiceMetrics.timerBounds,
        recorderBounds: HistogramBounds = ServiceMetrics.recorderBounds
    ) {
        self.maximumSeries = maximumSeries
        self.timerBounds = timerBounds
        self.recorderBounds = recorderBounds
    }

    // MARK: - A scrape

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        let (families, refused) = registry.withLock { ($0.families.values.map { $0 }, $0.refused) }
        let shown = families.filter { !$0.series.isEmpty }.map { family in
            var shown = family.empty
            for series in family.series.sorted(by: { $0.text < $1.text }) {
                series.cell.append(to: &shown, series.labels)
            }
            return shown
        }
        return shown + [
            MetricFamily(
                "mapwatch_service_metrics_refused_total", .counter,
                help: "Metrics of the service that are not shown: too many series, or a name of another kind.",
                value: .count(refused))
        ]
    }

    // MARK: - swift-metrics

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        make(.counter, label, dimensions, CountCell.init)
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        make(.counter, label, dimensions, SumCell.init)
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        make(.gauge, label, dimensions, LevelCell.init)
    }

    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        aggregate
            ? make(.histogram, label, dimensions) { SpreadCell(recorderBounds) }
            : make(.gauge, label, dimensions, LevelCell.init)
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        make(.duration, label, dimensions) { SpreadCell(timerBounds) }
    }

    public func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }

    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { destroy(handler) }

    public func destroyMeter(_ handler: any MeterHandler) { destroy(handler) }

    public func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }

    public func destroyTimer(_ handler: any TimerHandler) { destroy(handler) }

    // MARK: - Series

    /// The cell of that name and those labels; one that nobody reads when there cannot be one.
    private func make<Cell: MetricCell>(
        _ kind: MetricSpelling.Kind, _ label: String, _ dimensions: [(String, String)], _ makeCell: () -> Cell
    ) -> Cell {
        let name = MetricSpelling.name(label, kind)
        let pairs = MetricSpelling.labels(dimensions)
        let key = Key(name: name, labels: LabelSet(pairs: pairs))
        let text = pairs.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
        let cell = makeCell()
        return registry.withLock { registry in
            if let standing = registry.cells[key] as? Cell, registry.families[name]?.kind == kind { return standing }
            guard registry.cells[key] == nil, registry.cells.count < maximumSeries,
                var family = ServiceMetrics.family(name, kind, label, &registry)
            else {
                registry.refused += 1
                return cell
            }
            family.series.append((key.labels, text, cell))
            registry.families[name] = family
            registry.cells[key] = cell
            return cell
        }
    }

    /// The family that stands, or a new one whose name no other kind has in any format.
    private static func family(
        _ name: String, _ kind: MetricSpelling.Kind, _ label: String, _ registry: inout Registry
    ) -> Family? {
        if let standing = registry.families[name] { return standing.kind == kind ? standing : nil }
        guard let metricName = MetricName(checking: name) else { return nil }
        let help = "\(label), as the service counts it."
        let empty =
            switch kind {
            case .counter: MetricFamily(metricName, .counter, help: help)
            case .gauge: MetricFamily(metricName, .gauge, help: help)
            case .histogram, .duration: MetricFamily(histogram: metricName, help: help)
            }
        guard (try? registry.claimed.claim(empty, for: "service")) != nil else { return nil }
        return Family(empty: empty, kind: kind)
    }

    private func destroy(_ handler: AnyObject) {
        registry.withLock { registry in
            guard let key = registry.cells.first(where: { $0.value === handler })?.key else { return }
            registry.cells[key] = nil
            registry.families[key.name]?.series.removeAll { $0.labels == key.labels }
        }
    }
}
