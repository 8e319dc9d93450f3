public import InstrumentedMaps

// Delta per scrape. The monotone counters are the truth and alerts use only them; a person with curl wants to see "what
// has changed since I last looked", and so does each scraper for itself:
//
//     scraper A   ──●────────●────────●──      cursor: the reading of A's last completed scrape
//     curl        ─────●──────────────●──      cursor of its own: neither disturbs the other

/// The sizes of all shards, or of whole maps that are shown as one row, at one moment: where a cursor stands.
public struct SizeReading: Sendable {
    struct Size: Sendable {
        let entries: UInt64
        let bytes: UInt64
    }

    let nanoseconds: UInt64
    let sizes: [UInt64: [Size]]

    /// `nanoseconds` is monotonic time.
    public init(_ maps: [MapSnapshot], atNanoseconds nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
        sizes = Dictionary(
            uniqueKeysWithValues: maps.map { map in
                (map.incarnation, map.rows.map { Size(entries: $0.entries, bytes: $0.liveBytes) })
            })
    }

    /// What has changed from `earlier` to here. A map that was not there then is compared with an empty one.
    func changes(since earlier: SizeReading, in maps: [MapSnapshot]) -> SizeDeltas {
        let interval = nanoseconds &- earlier.nanoseconds
        let deltas = maps.map { map in
            let now = sizes[map.incarnation] ?? []
            let then = earlier.sizes[map.incarnation] ?? []
            let shards = now.indices.map { index in
                let before = index < then.count ? then[index] : Size(entries: 0, bytes: 0)
                return ShardSizeDelta(
                    entries: Int64(bitPattern: now[index].entries &- before.entries),
                    bytes: Int64(bitPattern: now[index].bytes &- before.bytes))
            }
            return MapSizeDelta(name: map.name, shards: shards)
        }
        return SizeDeltas(intervalNanoseconds: interval, maps: deltas)
    }
}

/// How all maps have changed between two scrapes of one scraper.
public struct SizeDeltas: Sendable, Equatable {
    public let intervalNanoseconds: UInt64
    /// In the order of the maps of the later scrape.
    public let maps: [MapSizeDelta]
}

/// How one map has changed, row by row.
public struct MapSizeDelta: Sendable, Equatable {
    public let name: MapName
    public let shards: [ShardSizeDelta]
}

/// How one shard has changed; negative when it shrank.
public struct ShardSizeDelta: Sendable, Equatable {
    public let entries: Int64
    public let bytes: Int64
}
