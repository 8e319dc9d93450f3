public import AccidentIndicators
public import Exposition
import InstrumentedMaps

/// How close each map is to an accident, as the last sample showed it, and the lines in force.
///
/// A map that was not sampled yet stands at 0.
public struct IndicatorCollector: Collector {
    public let name = "indicators"
    private let sampler: IndicatorSampler

    public init(_ sampler: IndicatorSampler) { self.sampler = sampler }

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        let readings = sampler.readings
        var gauges = IndicatorCollector.gauges.map { MetricFamily($0.name, .gauge, help: $0.help) }
        var lines = MetricFamily(
            "map_indicator_line", .gauge, help: "Past this an indicator is an alert; set per map under lines.")
        var cycles = MetricFamily(
            histogram: "map_cycle_delete_ratio",
            help: "Deletes among writes, by maintenance cycle of 10 s; cycles without writes are skipped.")
        for map in scrape.maps.maps {
            let reading = readings[map.incarnation] ?? IndicatorReading()
            let labels = scrape.labels(of: map)
            for (index, gauge) in IndicatorCollector.gauges.enumerated() {
                gauges[index].append(labels.map, gauge.value(reading))
            }
            // No share is above the last bound, 1.
            let ratios = reading.cycleDeleteRatios
            cycles.append(
                labels.map,
                HistogramValue(IndicatorCollector.cycleBounds, counts: ratios.counts + [0], sum: .real(ratios.sum)))
            let own = sampler.lines(of: map.name)
            for indicator in Indicator.allCases {
                lines.append(
                    labels.with("indicator", indicator.rawValue),
                    .real(own.line(indicator, shards: map.shards.count)))
            }
        }
        return scrape.maps.maps.isEmpty ? [] : gauges + [lines, cycles]
    }

    private static let cycleBounds = HistogramBounds(CycleDeleteRatios.bounds)

    private struct Gauge: Sendable {
        let name: MetricName
        let help: String
        let value: @Sendable (IndicatorReading) -> MetricValue
    }

    private static let gauges = [
        Gauge(name: "map_delete_ratio", help: SampledHelp.deleteRatio) {
            .real($0.deleteRatio)
        },
        Gauge(
            name: "map_delete_during_iteration_ratio",
            help: "Deletes made while an iterator was open, among deletes, over 60 s; 0 without deletes."
        ) { .real($0.deleteDuringIterationRatio) },
        Gauge(
            name: "map_size_mutation_ratio",
            help: SampledHelp.sizeMutationRatio
        ) { .real($0.sizeMutationRatio) },
        Gauge(
            name: "map_size_mutation_streak",
            help: "So many times of 15 s in a row, at most 7, in which the size changed by more than its line."
        ) { .count(UInt64($0.sizeMutationStreak)) },
        Gauge(
            name: "map_accident_signature",
            help: "1 while delete share and, within its 60 s, size mutation were both past their lines."
        ) { .count($0.hasSignature ? 1 : 0) },
        Gauge(
            name: "map_shard_imbalance_ratio",
            help: "Operations of the hottest shard over those of the mean shard, of the last 50 to 60 s."
        ) { .real($0.shardImbalanceRatio) },
    ]
}
