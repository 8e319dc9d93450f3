public import AccidentIndicators
public import Exposition
public import InstrumentedMaps

/// Turns one source of numbers into families: maps, the process, the build.
public protocol Collector: Sendable {
    /// The value of the label `collector`.
    var name: String { get }

    /// The families of this scrape. Called from any thread; what it throws costs only its own families.
    func collect(_ scrape: Scrape) throws -> [MetricFamily]
}

/// What all collectors of one scrape look at: one snapshot, taken once.
public struct Scrape: Sendable {
    public let maps: HostSnapshot
    /// Against the last completed scrape of whoever is asking; nil on its first, or when it has no cursor.
    public let sizeDeltas: SizeDeltas?
    private let cache: MapLabelCache

    /// A `labels` that is kept from scrape to scrape spares the rendering of labels.
    public init(maps: HostSnapshot, sizeDeltas: SizeDeltas?, labels: MapLabelCache = MapLabelCache()) {
        self.maps = maps
        self.sizeDeltas = sizeDeltas
        cache = labels
    }

    /// The rendered labels of a map of this scrape.
    public func labels(of map: MapSnapshot) -> MapLabels { cache.of(map) }

    /// The second scrape of a host with nothing but `map`: every family of it that there can be.
    static func second(of map: MapSnapshot) -> Scrape {
        var cursors = ScraperCursors()
        cursors.advance("", to: SizeReading([map], atNanoseconds: 0))
        let reading = SizeReading([map], atNanoseconds: 1)
        return Scrape(
            maps: HostSnapshot(maps: [map]), sizeDeltas: cursors.changes(for: "", to: reading, in: [map]))
    }
}

extension SeriesBudget {
    /// Counts what `collectors` show of a map by letting them show it, so that no new family is ever forgotten.
    public static func counting(_ collectors: [any Collector], limit: Int) -> SeriesBudget {
        SeriesBudget(limit: limit) { map in
            let scrape = Scrape.second(of: map)
            return collectors.reduce(0) { count, collector in
                // What throws now shows nothing now; that it throws is told at each scrape.
                ((try? collector.collect(scrape)) ?? []).reduce(count) { $0 + $1.seriesCount }
            }
        }
    }
}
