import Instruments

/// The named maps of one process.
///
/// Concurrency: any thread. A lookup takes the host's lock for one dictionary access (some 50 ns) and no shard lock;
/// creating and dropping build and free shards outside of it.
public final class MapHost: Sendable {
    /// A stranger may create maps, so their number has a bound: rows of counters cost memory and time at each scrape.
    public static let maximumMaps = 1024

    /// A map that the host made, or one that was made elsewhere and registered.
    private enum Hosted: Sendable {
        case own(any InstrumentedMap)
        case embedded(any HostedMap)

        var map: any HostedMap {
            switch self {
            case .own(let map): map
            case .embedded(let map): map
            }
        }
    }

    private struct State: Sendable {
        var maps: [MapName: Hosted] = [:] {
            didSet { ordered = maps.sorted { $0.key < $1.key }.map(\.value) }
        }
        /// Sorted by name: whoever looks at all maps each second sorts none.
        private(set) var ordered: [Hosted] = []
        /// What each map takes of the series budget; empty without one.
        var prices: [MapName: SeriesPrice] = [:]
        var mapsDropped: UInt64 = 0
        var entriesDropped: UInt64 = 0
        var undeclaredWrites: UInt64 = 0
    }

    private let state = LockedState(State())
    private let secondsSince1970: @Sendable () -> Double
    private let nanoseconds: @Sendable () -> UInt64
    /// What all maps together may hold.
    private let budget: MemoryBudget
    private let seriesBudget: SeriesBudget?
    /// The mode in which every map starts; nil leaves it to each one's options.
    private let mode: MapMode?
    private let observer: ObserverFactory

    /// Makes the observer of a map that is about to be created, nil for one that nobody watches; the number is the map's
    /// incarnation. Called once a map, on the thread that creates it, without any lock.
    public typealias ObserverFactory = @Sendable (MapName, MapOptions, UInt64) -> (any OperationObserver)?

    /// `secondsSince1970` dates the maps; it is asked once per map. `nanoseconds`, which only ever grow, say when entries
    /// expire, and are asked where one has a deadline; by default the kernel's coarse monotonic clock. All maps together
    /// hold at most `maximumBytes` of records and indexes, and are shown in at most as many series as `seriesBudget` says.
    /// With a `mode` every map starts in it, whatever its options say. `observer` is asked for each map that the host makes.
    public init(
        maximumBytes: Int = .max, seriesBudget: SeriesBudget? = nil, mode: MapMode? = nil,
        nanoseconds: (@Sendable () -> UInt64)? = nil, observer: @escaping ObserverFactory = { _, _, _ in nil },
        secondsSince1970: @escaping @Sendable () -> Double
    ) {
        self.mode = mode
        self.observer = observer
        self.nanoseconds = nanoseconds ?? MonotonicClock.coarseNanoseconds
        budget = MemoryBudget(limit: maximumBytes)
        self.seriesBudget = seriesBudget
        self.secondsSince1970 = secondsSince1970
    }

    /// What ``create(_:_:)`` found.
    public enum Creation: Sendable, Equatable {
        case created
        /// A map of this name stands with exactly these options, but perhaps in another mode, which is left as it is.
        case stoodAlready
    }

    /// Creates a map, or finds that it stands so already. Nothing changes when this throws.
    public func create(_ name: MapName, _ options: MapOptions) throws(MapHostError) -> Creation {
        // Two looks: the first spares a repeated PUT the building of shards, the second decides.
        if let standing = state.withLock({ $0.maps[name] }) { return try MapHost.compare(standing, options) }
        let map = makeMap(name, options, MapIncarnation.next())
        if let mode { map.setMode(mode) }
        let prices = prices(of: map)
        return try state.withLock { state throws(MapHostError) in
            if let standing = state.maps[name] { return try MapHost.compare(standing, options) }
            try add(.own(map), prices, to: &state)
            return .created
        }
    }

    /// Puts an embedded map beside the hosted ones: the same series, the same figures, the same maintenance. Its entries
    /// are Swift values, so the data API shows its figures and refuses its entries; and its memory counts in the host's
    /// figures, but only the map's own `max_bytes` bounds it.
    ///
    /// Any thread. The host keeps the map alive until ``unregister(_:)``.
    public func register(_ map: any HostedMap) throws(MapHostError) {
        let prices = prices(of: map)
        try state.withLock { state throws(MapHostError) in
            if state.maps[map.name] != nil { throw .nameTaken(map.name) }
            try add(.embedded(map), prices, to: &state)
        }
    }

    /// Takes a map that was registered off the endpoints again, with its series; false when it does not stand here. The
    /// map and its entries stay with whoever made it, so nothing counts as dropped.
    public func unregister(_ map: any HostedMap) -> Bool {
        state.withLock { state in
            guard case .embedded(let standing)? = state.maps[map.name], standing === map else { return false }
            state.maps[map.name] = nil
            state.prices[map.name] = nil
            return true
        }
    }

    private func add(
        _ hosted: Hosted, _ prices: [SeriesPrice], to state: inout State
    ) throws(MapHostError) {
        guard state.maps.count < MapHost.maximumMaps else { throw .tooManyMaps(limit: MapHost.maximumMaps) }
        let name = hosted.map.name
        if let seriesBudget {
            let left = seriesBudget.limit - state.prices.values.reduce(0) { $0 + $1.series }
            guard let price = prices.first(where: { $0.series <= left }) else {
                throw .tooManySeries(
                    name, needed: prices.last?.series ?? 0, left: left, limit: seriesBudget.limit)
            }
            state.prices[name] = price
        }
        state.maps[name] = hosted
    }

    private func prices(of map: any HostedMap) -> [SeriesPrice] {
        seriesBudget?.prices(of: map.snapshot(now: 0)) ?? []
    }

    /// A map's counters as they are shown: with the detail that the series budget had left for it.
    public func snapshot(of map: any HostedMap) -> MapSnapshot {
        var snapshot = map.snapshot()
        snapshot.detail = state.withLock { $0.prices[map.name]?.detail } ?? .shard
        return snapshot
    }

    private static func compare(_ standing: Hosted, _ wanted: MapOptions) throws(MapHostError) -> Creation {
        guard case .own(let standing) = standing else { throw .nameTaken(standing.map.name) }
        guard standing.options.describeSameMap(as: wanted) else {
            throw .standsOtherwise(standing.name, standing: standing.options, wanted: wanted)
        }
        return .stoodAlready
    }

    /// The map of this name, whatever it holds.
    public func hostedMap(_ name: MapName) -> (any HostedMap)? {
        state.withLock { $0.maps[name] }?.map
    }

    /// The map of bytes of this name; nil when there is none, or one of Swift values.
    public func map(_ name: MapName) -> (any InstrumentedMap)? {
        guard case .own(let map)? = state.withLock({ $0.maps[name] }) else { return nil }
        return map
    }

    /// The map of bytes of this name, or why there is none.
    public func mapForReading(_ name: MapName) throws(MapHostError) -> any InstrumentedMap {
        switch state.withLock({ $0.maps[name] }) {
        case .own(let map): return map
        case .embedded: throw .holdsSwiftValues(name)
        case nil: throw .undeclared(name)
        }
    }

    /// The map of this name for a write; without one the write is counted as one to an undeclared map (row F5).
    public func mapForWriting(_ name: MapName) throws(MapHostError) -> any InstrumentedMap {
        do {
            return try mapForReading(name)
        } catch {
            if case .undeclared = error { state.withLock { $0.undeclaredWrites += 1 } }
            throw error
        }
    }

    /// Takes a map of bytes and its series away; false when there was none. Operations that hold the map already still
    /// end. An embedded map is not the host's to drop: see ``unregister(_:)``.
    public func drop(_ name: MapName) -> Bool {
        let dropped: (any HostedMap)? = state.withLock { state in
            guard case .own(let map)? = state.maps[name] else { return nil }
            state.maps[name] = nil
            state.prices[name] = nil
            return map
        }
        guard let map = dropped else { return false }
        let entries = map.snapshot().sum(\.entries)
        state.withLock { state in
            state.mapsDropped += 1
            state.entriesDropped += entries
        }
        return true
    }

    /// All maps, sorted by name.
    public var maps: [any HostedMap] {
        state.withLock { $0.ordered.map(\.map) }
    }

    /// Does up to `budget` small moves in all maps together (see ``HostedMap/maintain(budget:)``) and returns how
    /// many it did. To be called every second or so by whoever hosts the maps; without it memory that deletes have left
    /// half empty stays with the process.
    @discardableResult
    public func maintain(budget: Int) -> Int {
        var done = 0
        for map in maps where done < budget { done += map.maintain(budget: budget - done) }
        return done
    }

    /// Reads every counter of every map, relaxed. Takes the host's lock to list the maps, and no shard's lock. `now` is
    /// `MonotonicClock`'s: the longest waits depend on it.
    public func snapshot(now: UInt64) -> HostSnapshot {
        let state = state.withLock { $0 }
        var maps: [MapSnapshot] = []
        // The host's own maps share its budget; an embedded one has a budget of its own.
        var allocated = UInt64(max(0, budget.bytesUsed))
        for hosted in state.ordered {
            var snapshot = hosted.map.snapshot(now: now)
            snapshot.detail = state.prices[snapshot.name]?.detail ?? .shard
            if case .embedded = hosted { allocated += snapshot.sum(\.allocatedBytes) }
            maps.append(snapshot)
        }
        return HostSnapshot(
            maps: maps, seriesBudget: seriesBudget?.limit, maximumBytes: budget.limit,
            allocatedBytes: allocated,
            mapsDropped: state.mapsDropped, entriesDropped: state.entriesDropped,
            undeclaredWrites: state.undeclaredWrites)
    }

    /// A ``HostedMap/glance(now:since:)`` at every map, sorted by name: what the indicators sample each second. `before` are
    /// the glances of the second before, as they were returned.
    public func glances(now: UInt64, since before: [MapGlance] = []) -> [MapGlance] {
        let state = state.withLock { $0 }
        // Both are sorted, and nearly always of the same maps.
        var place = 0
        return state.ordered.map { hosted in
            let name = hosted.map.name
            while place < before.count, before[place].name < name { place += 1 }
            let isThere = place < before.count && before[place].name == name
            var snapshot = hosted.map.glance(now: now, since: isThere ? before[place] : nil)
            if !state.prices.isEmpty { snapshot.detail = state.prices[name]?.detail ?? .shard }
            return snapshot
        }
    }

    /// ``snapshot(now:)`` of this moment.
    public func snapshot() -> HostSnapshot { snapshot(now: MonotonicClock.nanoseconds()) }

    private func makeMap(_ name: MapName, _ options: MapOptions, _ incarnation: UInt64) -> any InstrumentedMap {
        let now = secondsSince1970()
        let budget = MemoryBudget(limit: options.maximumBytes ?? .max, within: budget)
        let watch = MapWatch.over(name, options, observer(name, options, incarnation))
        return options.mapType(watch).init(
            name: name, options: options, incarnation: incarnation, createdAt: now, budget: budget,
            clock: ExpiryClock(nanoseconds: nanoseconds), watch: watch)
    }
}

/// All maps of a host at one scrape, with what the host itself has counted.
public struct HostSnapshot: Sendable {
    /// Sorted by name.
    public let maps: [MapSnapshot]
    /// Series that all maps together may have; nil without a bound.
    public let seriesBudget: Int?
    /// What all maps together may hold; `Int.max` without a bound.
    public let maximumBytes: Int
    /// What all maps together hold now, those included that are dropped but still in use.
    public let allocatedBytes: UInt64
    public let mapsDropped: UInt64
    /// Entries that dropped maps held when they were dropped.
    public let entriesDropped: UInt64
    /// Writes to maps that nobody had declared.
    public let undeclaredWrites: UInt64

    public init(
        maps: [MapSnapshot], seriesBudget: Int? = nil, maximumBytes: Int = .max, allocatedBytes: UInt64 = 0,
        mapsDropped: UInt64 = 0,
        entriesDropped: UInt64 = 0, undeclaredWrites: UInt64 = 0
    ) {
        self.maps = maps
        self.seriesBudget = seriesBudget
        self.maximumBytes = maximumBytes
        self.allocatedBytes = allocatedBytes
        self.mapsDropped = mapsDropped
        self.entriesDropped = entriesDropped
        self.undeclaredWrites = undeclaredWrites
    }
}

/// Why the host refused.
public enum MapHostError: Error, Equatable, CustomStringConvertible {
    case undeclared(MapName)
    case standsOtherwise(MapName, standing: MapOptions, wanted: MapOptions)
    case tooManyMaps(limit: Int)
    /// An embedded map of this name stands, or one that an embedded map cannot replace.
    case nameTaken(MapName)
    /// An embedded map, which holds no bytes that a request could name.
    case holdsSwiftValues(MapName)
    /// Not even one row a family fits the series budget.
    case tooManySeries(MapName, needed: Int, left: Int, limit: Int)

    public var description: String {
        switch self {
        case .undeclared(let name):
            "assignment to entry in nil map: map \"\(name)\" is not declared; create it with PUT /api/v1/maps/\(name)"
        case .standsOtherwise(let name, let standing, let wanted):
            "map \"\(name)\" stands with \(MapHostError.text(standing)), not \(MapHostError.text(wanted)); drop it first"
        case .tooManyMaps(let limit):
            "there are \(limit) maps already, and no more are hosted; drop one first"
        case .nameTaken(let name):
            "a map \"\(name)\" stands already, and an embedded map shares its name with no other; choose another name"
        case .holdsSwiftValues(let name):
            "map \"\(name)\" is embedded in the program that hosts it: its entries are Swift values, not bytes, so only "
                + "its figures are served"
        case .tooManySeries(let name, let needed, let left, let limit):
            "map \"\(name)\" needs \(needed) series and \(left) are left of the budget of \(limit); "
                + "drop a map or raise --max-series"
        }
    }

    private static func text(_ options: MapOptions) -> String {
        "strategy \"\(options.strategy.rawValue)\", \(options.shards) shard\(options.shards == 1 ? "" : "s")"
            + (options.reads == .locked ? "" : ", reads \"\(options.reads.rawValue)\"")
            + (options.strategy == .checked
                ? ", policy \"\(options.policy.rawValue)\", check_reads \(options.checksReads)" : "")
            + (options.hash == .keyed ? "" : ", hash \"\(options.hash.rawValue)\"")
            + (options.maximumBytes.map { " and max_bytes \($0)" } ?? "")
            + (options.ttlSeconds.map { " and ttl_seconds \($0)" } ?? "")
            + (options.deletionGuard == .allow ? "" : " and guard \"\(options.deletionGuard.rawValue)\"")
    }
}
