public import Exposition
import InstrumentedMaps
import Instruments

/// What one collector gave for one scrape.
public struct Collected: Sendable {
    /// Nil when it failed.
    let families: [MetricFamily]?
    let nanoseconds: UInt64
}

/// Calls collectors and says how each fared.
///
/// Most collectors show the same to everybody, so several scrapes may share what they gave; a few show something else
/// to each scraper, and are asked for each request.
///
/// Concurrency: any thread; two gathers may run at once. Cost: the sum of the collectors.
public struct Gatherer: Sendable {
    private let shared: [any Collector]
    private let perRequest: [any Collector]
    private let nanoseconds: @Sendable () -> UInt64
    private let didFail: @Sendable (_ collector: String, any Error) -> Void
    private let names: LockedState<FamilyNames>

    /// `nanoseconds` is a monotonic clock; `didFail` hears of a collector that threw.
    ///
    /// Each collector is tried once on a host with one map, and throws `FamilyCollision` here when a family of it
    /// would collide with another in any format. A family that appears only later and collides fails its collector then.
    public init(
        _ shared: [any Collector], perRequest: [any Collector] = [],
        nanoseconds: @escaping @Sendable () -> UInt64,
        didFail: @escaping @Sendable (_ collector: String, any Error) -> Void
    ) throws(FamilyCollision) {
        var names = FamilyNames()
        for family in Gatherer.ownFamilies { try names.claim(family, for: "gatherer") }
        for collector in shared + perRequest {
            // What it throws now is no collision; a scrape will tell of it.
            let families = (try? collector.collect(Gatherer.trial)) ?? []
            for family in families { try names.claim(family, for: collector.name) }
        }
        self.names = LockedState(names)
        self.shared = shared
        self.perRequest = perRequest
        self.nanoseconds = nanoseconds
        self.didFail = didFail
    }

    /// How many collectors may be shared.
    public var sharedCount: Int { shared.count }

    /// Asks the shared collector with this index.
    public func collectShared(_ index: Int, _ scrape: Scrape) -> Collected { collect(shared[index], scrape) }

    /// All families of one request, those of the gatherer itself included, in no particular order. `collected` holds what
    /// the shared collectors gave, nil for those that were not waited for.
    public func families(of collected: [Collected?], for scrape: Scrape) -> [MetricFamily] {
        var duration = Gatherer.duration
        var success = Gatherer.success
        var families: [MetricFamily] = []
        let own = perRequest.map { collect($0, scrape) }
        for (collector, collected) in zip(shared + perRequest, collected + own) {
            let labels = LabelSet(["collector": collector.name])
            families += collected?.families ?? []
            success.append(labels, .count(collected?.families == nil ? 0 : 1))
            duration.append(labels, .nanoseconds(collected?.nanoseconds ?? 0))
        }
        return families + [duration, success]
    }

    /// All collectors, one after the other.
    public func gather(_ scrape: Scrape) -> [MetricFamily] {
        families(of: shared.map { collect($0, scrape) }, for: scrape)
    }

    private func collect(_ collector: any Collector, _ scrape: Scrape) -> Collected {
        let start = nanoseconds()
        var families: [MetricFamily]?
        do {
            let collected = try collector.collect(scrape)
            try names.withLock { names throws(FamilyCollision) in
                for family in collected { try names.claim(family, for: collector.name) }
            }
            families = collected
        } catch {
            didFail(collector.name, error)
        }
        return Collected(families: families, nanoseconds: nanoseconds() &- start)
    }

    private static let duration = MetricFamily(
        "mapwatch_collector_duration_seconds", .gauge,
        help: "Time that a collector took in this scrape; 0 for one that was not waited for.")
    private static let success = MetricFamily(
        "mapwatch_collector_success", .gauge, help: "1 when a collector's families are in this scrape, 0 when not.")
    private static var ownFamilies: [MetricFamily] { [duration, success] }

    /// A host with one map that a scraper sees for the second time: every family that there can be.
    private static let trial: Scrape = {
        let host = MapHost { 0 }
        // A name that is one, and options that are the defaults, cannot be refused.
        if let name = try? MapName("trial"), let options = try? MapOptions() { _ = try? host.create(name, options) }
        return host.snapshot(now: 0).maps.first.map(Scrape.second)
            ?? Scrape(maps: HostSnapshot(maps: []), sizeDeltas: nil)
    }()
}
