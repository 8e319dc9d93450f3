public import Exposition
import InstrumentedMaps

/// The live iterators that are open on each map, those in this process and those that a listing holds a lease for.
public struct IteratorCollector: Collector {
    public let name = "iterators"

    public init() {}

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        var open = MetricFamily("map_iterators_open", .gauge, help: "Live iterators that are open now.")
        var age = MetricFamily(
            "map_iterator_age_seconds", .gauge,
            help: "Time since the open iterator that has rested longest was opened or last moved; 0 without one.")
        var aborted = MetricFamily(
            "map_iterator_aborted_total", .counter,
            help: "Live iterators that ended before their last entry: the map's guard, or a lease that ran out.")
        for map in scrape.maps.maps {
            let labels = scrape.labels(of: map).map
            for stop in IterationStop.allCases {
                aborted.append(
                    scrape.labels(of: map).with("reason", stop.reason), .count(map.abortedIterators[stop]))
            }
            open.append(labels, .count(UInt64(map.openIterators)))
            age.append(labels, .nanoseconds(map.iteratorRestingNanoseconds))
        }
        return scrape.maps.maps.isEmpty ? [] : [open, age, aborted]
    }
}
