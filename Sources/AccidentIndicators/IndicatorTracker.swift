public import InstrumentedMaps

/// What is known of one map a second after a sample: the gauges that plain curl shows.
public struct IndicatorReading: Sendable, Equatable {
    public fileprivate(set) var deleteRatio = 0.0
    public fileprivate(set) var deleteDuringIterationRatio = 0.0
    public fileprivate(set) var sizeMutationRatio = 0.0
    public fileprivate(set) var sizeMutationStreak = 0
    public fileprivate(set) var hasSignature = false
    public fileprivate(set) var shardImbalanceRatio = 0.0
    /// What the map is asked to do.
    public fileprivate(set) var rates = MapRates()
    /// Whether a line counts for the map now: it is old and large enough, and enough of it was written within the minute.
    public fileprivate(set) var isJudged = false
    public fileprivate(set) var cycleDeleteRatios = CycleDeleteRatios()

    /// What is shown of a map that was not sampled yet.
    public init() {}
}

// Memory, of all maps together: 12 KB a map for its sums, 28 bytes a shard for its heat, and 1,920 bytes a shard for its
// rows, these only as long as they fit into 64 MiB: 34,952 shards, the first that came. A map without rows has all
// indicators, and no curve for each shard. The sampler keeps the newest glance beside it: 112 bytes a shard.

/// Watches all maps: fed with a glance each second, it keeps their last 120 s and says what they show.
///
/// A pure value: glances and instants are handed in. A map is known by its incarnation, so one that is created again
/// starts anew, and what a dropped one had is let go at the next sample. Cost: linear in the shards of the maps that were
/// used since the sample before (`make sampler`).
public struct IndicatorTracker: Sendable {
    /// What the rows of all shards may take.
    static let maximumRowBytes = 64 << 20

    private var lines: [MapName: IndicatorLines]
    private let maximumRowBytes: Int
    private var watched: [UInt64: Watched] = [:]
    /// When the maintenance cycle under way began; nil before the first sample.
    private(set) var cycleBegin: UInt64?

    /// `lines` are those of the maps that have their own, whether the maps stand already or not.
    public init(lines: [MapName: IndicatorLines] = [:]) {
        self.init(lines: lines, maximumRowBytes: IndicatorTracker.maximumRowBytes)
    }

    init(lines: [MapName: IndicatorLines], maximumRowBytes: Int) {
        self.lines = lines
        self.maximumRowBytes = maximumRowBytes
    }

    /// Sets the lines of maps that are about to come.
    mutating func add(lines new: [MapName: IndicatorLines]) { lines.merge(new) { $1 } }

    /// The lines of a map.
    public func lines(of map: MapName) -> IndicatorLines { lines[map] ?? IndicatorLines() }

    /// What is known by incarnation.
    public var readings: [UInt64: IndicatorReading] { watched.mapValues(\.reading) }

    /// The last 120 s of a map; nil before its first sample.
    public func window(of incarnation: UInt64) -> MapWindow? { watched[incarnation]?.window }

    /// Bytes that the rows of shards take now.
    var rowBytes: Int {
        watched.values.reduce(0) { $0 + ($1.window.keepsShards ? $1.window.shardCount : 0) }
            * ShardSeconds.bytesPerShard
    }

    /// Takes one sample of each map; `now` is monotonic time, to be called each second.
    public mutating func sample(_ maps: [MapGlance], atNanoseconds now: UInt64) {
        forgetAllBut(maps)
        let endsCycle = endsCycle(now)
        for map in maps {
            if !watched.keys.contains(map.incarnation) { watched[map.incarnation] = begin(map) }
            // Changed where it lies: by its key it would be taken out and put back.
            guard let place = watched.index(forKey: map.incarnation) else { continue }
            watched.values[place].take(map, lines(of: map.name), atNanoseconds: now)
            if endsCycle { watched.values[place].endCycle(map) }
        }
    }

    private mutating func forgetAllBut(_ maps: [MapGlance]) {
        let standing = Set(maps.map(\.incarnation))
        if watched.keys.contains(where: { !standing.contains($0) }) {
            watched = watched.filter { standing.contains($0.key) }
        }
    }

    private func begin(_ map: MapGlance) -> Watched {
        let shards = map.shards.count
        let fits = rowBytes + shards * ShardSeconds.bytesPerShard <= maximumRowBytes
        var watched = Watched(window: MapWindow(shardCount: shards, keepsShards: fits))
        watched.endCycle(map)
        return watched
    }

    /// Whether a cycle ends at this sample; half a second of grace, as samples are a second apart.
    private mutating func endsCycle(_ now: UInt64) -> Bool {
        let cycle = CycleDeleteRatios.cycleSeconds * 1_000_000_000
        guard let cycleBegin else {
            self.cycleBegin = now
            return false
        }
        guard now &- cycleBegin + 500_000_000 >= cycle else { return false }
        self.cycleBegin = now
        return true
    }
}

/// All that is kept of one map.
private struct Watched: Sendable {
    private(set) var window: MapWindow
    private var heat = ShardHeat()
    /// Whether the shards' imbalance was computed from rows and marks that stand no more.
    private var isHeatStale = true
    /// Since when the rows of the last sample have stood.
    private var unchangedSince: UInt64?
    private var cycles = CycleDeleteRatios()
    private(set) var reading = IndicatorReading()

    init(window: MapWindow) { self.window = window }

    /// Takes a sample. What is summed up over the shards is not looked at again while nothing there has changed.
    mutating func take(_ map: MapGlance, _ lines: IndicatorLines, atNanoseconds now: UInt64) {
        if let since = map.unchangedSince, since == unchangedSince {
            window.appendUnchanged(atNanoseconds: now)
        } else {
            window.append(map, atNanoseconds: now)
            isHeatStale = true
        }
        unchangedSince = map.unchangedSince
        judge(map, lines)
    }

    private mutating func judge(_ map: MapGlance, _ lines: IndicatorLines) {
        func line(_ indicator: Indicator) -> Double { lines.line(indicator, shards: map.shards.count) }
        reading.deleteRatio = window.deleteRatio
        reading.deleteDuringIterationRatio = window.deleteDuringIterationRatio
        reading.sizeMutationRatio = window.sizeMutationRatio
        reading.sizeMutationStreak = window.sizeMutationStreak(line: line(.sizeMutationRatio))
        reading.hasSignature = window.hasSignature(
            deleteRatio: line(.signatureDeleteRatio), sizeMutationRatio: line(.signatureSizeMutationRatio))
        reading.isJudged = window.isJudged
        reading.rates = window.rates
        if isHeatStale { reading.shardImbalanceRatio = heat.imbalance(map.shards) }
        isHeatStale = false
    }

    /// Ends the cycle that was under way, if one was.
    mutating func endCycle(_ map: MapGlance) {
        heat.mark(map.shards)
        isHeatStale = true
        cycles.endCycle(deletes: map.sums.deletes, writes: map.sums.writes)
        reading.cycleDeleteRatios = cycles
    }
}
