import InstrumentedMaps

// How many incidents each map had, and which of them get a bundle. A stranger can cause incidents, so bundles have a pace
// of their own: one a map and minute, whatever asks for it. All are counted.
//
// Memory: some 100 bytes a map of the host; what a dropped map had is forgotten when `keep(only:)` says so.

/// The counts of all maps: a pure value, which is handed incidents and instants.
struct IncidentLedger: Sendable {
    /// Between two bundles of one map.
    static let bundleInterval: UInt64 = 60_000_000_000
    /// Bundles of all maps that may come at once; one more each second.
    static let burst = 64
    private static let refillInterval: UInt64 = 1_000_000_000

    enum Verdict: Sendable, Equatable {
        case bundle
        /// Only counted: a bundle may come after so many nanoseconds.
        case tooSoon(UInt64)
    }

    private struct Entry: Sendable {
        /// Nil for a map that no run of this process has had yet: an incident of the run before.
        var incarnation: UInt64?
        var counts: [IncidentKind: UInt64] = [:]
        var lastBundle: UInt64?
    }

    private var entries: [MapName: Entry] = [:]
    /// When the whole burst is there again.
    private var fullAt: UInt64 = 0
    /// The last hour in which each map had an incident; under nil that of previous runs.
    private var firsts: [MapName?: Int] = [:]

    /// Counts one incident of a map and says whether it gets a bundle.
    mutating func note(_ map: MapName, incarnation: UInt64, _ kind: IncidentKind, atNanoseconds now: UInt64) -> Verdict
    {
        var entry = entry(map, incarnation)
        entry.counts[kind, default: 0] += 1
        defer { entries[map] = entry }
        if let wait = wait(map, atNanoseconds: now) { return .tooSoon(wait) }
        entry.lastBundle = now
        fullAt = max(fullAt, now) + IncidentLedger.refillInterval
        return .bundle
    }

    /// How long it takes until the map may have its next bundle; nil when it may now. Counts nothing.
    func wait(_ map: MapName, atNanoseconds now: UInt64) -> UInt64? {
        if let last = entries[map]?.lastBundle {
            // Of two threads the one with the later instant may come first.
            let since = now - min(last, now)
            if since < IncidentLedger.bundleInterval { return IncidentLedger.bundleInterval - since }
        }
        let room = UInt64(IncidentLedger.burst - 1) * IncidentLedger.refillInterval
        return fullAt > now + room ? fullAt - now - room : nil
    }

    /// Counts the end of a run that had this map, for the map's next life.
    mutating func notePreviousRun(_ map: MapName) {
        entries[map, default: Entry()].counts[.previousRun, default: 0] += 1
    }

    /// How many incidents of a kind this life of a map has had.
    func count(_ map: MapName, incarnation: UInt64, _ kind: IncidentKind) -> UInt64 {
        guard let entry = entries[map], entry.incarnation == incarnation || entry.incarnation == nil else { return 0 }
        return entry.counts[kind] ?? 0
    }

    /// Whether an incident is its map's first within its hour of the clock. Hours are asked in any order.
    mutating func isFirstOfHour(_ map: MapName?, seconds: Double) -> Bool {
        let hour = Int(seconds / 3600)
        defer { firsts[map] = max(hour, firsts[map] ?? hour) }
        return firsts[map].map { $0 < hour } ?? true
    }

    /// Forgets the maps that are no more; `maps` are those of a sample, and a map that came since has a higher incarnation.
    /// What a run before had is kept for a map that may come yet.
    mutating func keep(only maps: [MapGlance], atNanoseconds now: UInt64) {
        let living = Set(maps.map(\.incarnation))
        let newest = living.max() ?? .max
        entries = entries.filter { _, entry in
            guard let incarnation = entry.incarnation else { return true }
            let isPaced = entry.lastBundle.map { now - min($0, now) < IncidentLedger.bundleInterval } ?? false
            return isPaced || incarnation > newest || living.contains(incarnation)
        }
        guard firsts.count > MapHost.maximumMaps else { return }
        let names = Set(maps.map(\.name))
        firsts = firsts.filter { $0.key.map(names.contains) ?? true }
    }

    /// The entry of this life of a map; a new life begins at 0, but the first takes over what a run before has left.
    private func entry(_ map: MapName, _ incarnation: UInt64) -> Entry {
        guard var standing = entries[map] else { return Entry(incarnation: incarnation) }
        if standing.incarnation == nil { standing.incarnation = incarnation }
        // The pace is the name's, so that dropping and creating a map again does not hurry it.
        return standing.incarnation == incarnation
            ? standing : Entry(incarnation: incarnation, lastBundle: standing.lastBundle)
    }
}
