public import AccidentIndicators
public import Exposition
public import InstrumentedMaps
import Instruments

/// What all collectors of one scrape look at: one snapshot, taken once.
public struct Scrape: Sendable {
    public let maps: HostSnapshot
    /// Against the last completed scrape of whoever is asking; nil on its first, or when it has no cursor.
    public let sizeDeltas: SizeDeltas?

    public init(maps: HostSnapshot, sizeDeltas: SizeDeltas?) {
        self.maps = maps
        self.sizeDeltas = sizeDeltas
    }

    /// A host with one map that a scraper sees for the second time: every family that there can be.
    static let trial: Scrape = {
        let host = MapHost { 0 }
        // A name that is one, and options that are the defaults, cannot be refused.
        if let name = try? MapName("trial"), let options = try? MapOptions() { _ = try? host.create(name, options) }
        let snapshot = host.snapshot()
        var cursors = ScraperCursors()
        cursors.advance("trial", to: SizeReading(snapshot.maps, atNanoseconds: 0))
        let reading = SizeReading(snapshot.maps, atNanoseconds: 1)
        return Scrape(maps: snapshot, sizeDeltas: cursors.changes(for: "trial", to: reading, in: snapshot.maps))
    }()
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
    private let names: LockedState<FamilyNames>

    /// `nanoseconds` is a monotonic clock; `didFail` hears of a collector that threw.
    ///
    /// Each collector is tried once on a host with one map, and throws ``FamilyCollision`` here when a family of it
    /// would collide with another in any format. A family that appears only later and collides fails its collector then.
    public init(
        _ collectors: [any Collector], nanoseconds: @escaping @Sendable () -> UInt64,
        didFail: @escaping @Sendable (_ collector: String, any Error) -> Void
    ) throws(FamilyCollision) {
        var names = FamilyNames()
        for collector in collectors {
            // What it throws now is no collision; a scrape will tell of it.
            let families = (try? collector.collect(Scrape.trial)) ?? []
            for family in families { try names.claim(family, for: collector.name) }
        }
        self.names = LockedState(names)
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
                let collected = try collector.collect(scrape)
                try names.withLock { names throws(FamilyCollision) in
                    for family in collected { try names.claim(family, for: collector.name) }
                }
                families += collected
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
