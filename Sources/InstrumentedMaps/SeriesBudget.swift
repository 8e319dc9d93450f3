// How many series all maps together may have. A stranger may create maps, and each shard of each map is a row in some
// twenty families: a Prometheus dies of too many series, so their number is bounded where they come from.
//
//     a row a shard fits    → detail "shard"
//     one row fits          → detail "map": shard_id="all", sums of the shards
//     not even that fits    → the creation is refused
//
// Decided at a map's creation and kept for its life, so that no counter ever seems to reset.

/// How finely a map is shown.
public enum SeriesDetail: String, Sendable {
    /// A row a shard.
    case shard
    /// One row for the whole map.
    case map
}

/// A bound on the series of all maps of a host.
public struct SeriesBudget: Sendable {
    public let limit: Int
    /// How many series a map like this one has.
    let count: @Sendable (MapSnapshot) -> Int

    /// `count` is asked once or twice at a map's creation, on the creating thread, without any lock.
    public init(limit: Int, count: @escaping @Sendable (MapSnapshot) -> Int) {
        self.limit = limit
        self.count = count
    }

    /// What a map takes of the budget at each detail, the finer first.
    func prices(of map: MapSnapshot) -> [SeriesPrice] {
        var folded = map
        folded.detail = .map
        return [SeriesPrice(detail: .shard, series: count(map)), SeriesPrice(detail: .map, series: count(folded))]
    }
}

/// What a map takes of the budget.
struct SeriesPrice: Sendable, Equatable {
    let detail: SeriesDetail
    let series: Int
}
