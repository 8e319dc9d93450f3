public import AccidentIndicators
public import Exposition
public import InstrumentedMaps

/// What all collectors of one scrape look at: one snapshot, taken once.
public struct Scrape: Sendable {
    public let maps: HostSnapshot
    /// Against the last completed scrape of whoever is asking; nil on its first, or when it has no cursor.
    public let sizeDeltas: SizeDeltas?

    public init(maps: HostSnapshot, sizeDeltas: SizeDeltas?) {
        self.maps = maps
        self.sizeDeltas = sizeDeltas
    }
}

/// Turns one source of numbers into families: maps, the process, the build.
public protocol Collector: Sendable {
    /// The value of the label `collector`.
    var name: String { get }

    /// The families of this scrape. Called from any thread; what it throws costs only its own families.
    func collect(_ scrape: Scrape) throws -> [MetricFamily]
}

/// Calls collectors one after the other and says how each fared.
///
/// Concurrency: any thread; two gathers may run at once. Cost: the sum of the collectors.
public struct Gatherer: Sendable {
    private let collectors: [any Collector]
    private let nanoseconds: @Sendable () -> UInt64
    private let didFail: @Sendable (_ collector: String, any Error) -> Void

    /// `nanoseconds` is a monotonic clock; `didFail` hears of a collector that threw.
    public init(
        _ collectors: [any Collector], nanoseconds: @escaping @Sendable () -> UInt64,
        didFail: @escaping @Sendable (_ collector: String, any Error) -> Void
    ) {
        self.collectors = collectors
        self.nanoseconds = nanoseconds
        self.didFail = didFail
    }

    /// All families, those of the gatherer itself included, in no particular order.
    public func gather(_ scrape: Scrape) -> [MetricFamily] {
        var families: [MetricFamily] = []
        var duration = MetricFamily(
            "mapwatch_collector_duration_seconds", .gauge, help: "Time that a collector took in this scrape.")
        var success = MetricFamily(
            "mapwatch_collector_success", .gauge, help: "1 when a collector's families are in this scrape, 0 when not.")
        for collector in collectors {
            let start = nanoseconds()
            let labels = LabelSet(["collector": collector.name])
            do {
                families += try collector.collect(scrape)
                success.append(labels, .count(1))
            } catch {
                didFail(collector.name, error)
                success.append(labels, .count(0))
            }
            duration.append(labels, .nanoseconds(nanoseconds() &- start))
        }
        return families + [duration, success]
    }
}
