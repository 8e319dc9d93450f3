/// A bundle on disk, as far as room is concerned.
struct StoredBundle: Sendable, Equatable {
    let summary: IncidentSummary
    /// What its files and its directory take.
    let bytes: Int
}

/// Which bundles go for a new one: the oldest of those that are not their map's first within an hour, and only when none
/// of them is left the oldest of these.
enum BundleRotation {
    /// However small they are: each costs a look at every start and a row of the list.
    static let maximumCount = 1000

    /// Nil when the new bundle alone is larger than `maximumBytes`.
    static func victims(
        among stored: [StoredBundle], adding bytes: Int, maximumBytes: Int, maximumCount: Int = maximumCount
    ) -> [IncidentID]? {
        guard bytes <= maximumBytes else { return nil }
        var total = stored.reduce(bytes) { $0 + $1.bytes }
        var count = stored.count + 1
        var victims: [IncidentID] = []
        let order = stored.sorted { left, right in
            left.summary.isFirstOfHour == right.summary.isFirstOfHour
                ? left.summary.id < right.summary.id : right.summary.isFirstOfHour
        }
        for bundle in order {
            guard total > maximumBytes || count > maximumCount else { break }
            victims.append(bundle.summary.id)
            total -= bundle.bytes
            count -= 1
        }
        return victims
    }
}
