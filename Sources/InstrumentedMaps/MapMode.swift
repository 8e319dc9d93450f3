/// Whether a map's shards are guarded one by one, or all by one lock (the articles' rollback `maplock=1`, row M11).
///
/// A map can be switched from one to the other while it is in use; see ``HostedMap/setMode(_:)``.
public enum MapMode: String, Sendable, CaseIterable {
    /// Every shard by its own guard alone.
    case normal
    /// One operation at a time on the whole map.
    case global
}

extension MapMode {
    /// The mode of this name; throws ``MapOptionsError`` for any other text.
    public init(named name: String) throws(MapOptionsError) {
        guard let mode = MapMode(rawValue: name) else { throw .unknownMode(name) }
        self = mode
    }
}
