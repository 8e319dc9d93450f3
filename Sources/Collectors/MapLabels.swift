public import Exposition
public import InstrumentedMaps
import Instruments

/// The labels of one map's series, rendered once for its life.
public final class MapLabels: Sendable {
    /// `map_name`.
    public let map: LabelSet
    /// `map_name` and `shard_id`, a row for each of the snapshot's `MapSnapshot.rows`: padded with zeros to the width
    /// of the highest id, so that text order is number order; `all` for a map that is shown as one row.
    public let shards: LabelTable
    /// `map_name` and `segment_id`, unpadded as the articles have it.
    let segments: LabelTable
    /// `shard_id` alone, as an exemplar has it, by shard: also of a map that is shown as one row.
    let exemplars: [LabelSet]
    private let name: String
    private let ids: [String]
    private let others = LockedState<[KnownSet: LabelSet]>([:])
    private let tables = LockedState<[KnownSet: LabelTable]>([:])

    private struct KnownSet: Hashable {
        let label: String
        let value: String
    }

    init(_ map: MapSnapshot) {
        let name = map.name.text
        let numbers = map.shards.indices.map { String($0) }
        let width = numbers.last?.count ?? 0
        let padded = numbers.map { String(repeating: "0", count: width - $0.count) + $0 }
        let isByShard = map.detail == .shard
        self.name = name
        self.map = LabelSet(["map_name": name])
        ids = isByShard ? padded : ["all"]
        shards = LabelTable(ids.map { LabelSet(["map_name": name, "shard_id": $0]) })
        segments = LabelTable((isByShard ? numbers : ["all"]).map { LabelSet(["map_name": name, "segment_id": $0]) })
        exemplars = padded.map { LabelSet(["shard_id": $0]) }
    }

    /// `map_name` and one more label, whose value is one of a few that are fixed.
    public func with(_ label: String, _ value: String) -> LabelSet {
        others.withLock { others in
            let key = KnownSet(label: label, value: value)
            if let known = others[key] { return known }
            let set = LabelSet(["map_name": name, label: value])
            others[key] = set
            return set
        }
    }

    /// ``shards`` with one more label, whose value is one of a few that are fixed.
    func shards(with label: String, _ value: String) -> LabelTable {
        tables.withLock { tables in
            let key = KnownSet(label: label, value: value)
            if let known = tables[key] { return known }
            let table = LabelTable(ids.map { LabelSet(["map_name": name, "shard_id": $0, label: value]) })
            tables[key] = table
            return table
        }
    }
}

/// The labels of all maps, kept from scrape to scrape.
///
/// Concurrency: any thread. Cost: one lookup under a lock; a map that is new is rendered under it, once.
public final class MapLabelCache: Sendable {
    private let labels = LockedState<[UInt64: MapLabels]>([:])

    public init() {}

    func of(_ map: MapSnapshot) -> MapLabels {
        labels.withLock { labels in
            if let known = labels[map.incarnation] { return known }
            let made = MapLabels(map)
            labels[map.incarnation] = made
            return made
        }
    }

    /// Forgets the maps that are no more.
    public func keep(only maps: [MapSnapshot]) {
        labels.withLock { labels in
            guard labels.count > maps.count else { return }
            let living = Set(maps.map(\.incarnation))
            labels = labels.filter { living.contains($0.key) }
        }
    }
}
