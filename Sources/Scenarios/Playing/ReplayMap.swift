public import InstrumentedMaps

/// The map on which a scenario is replayed, as the command line says it.
public struct ReplayMap: Sendable, Equatable {
    /// A strategy, or `optimistic` for `sharded` with readers that take no lock.
    public var strategy: String
    public var shards: Int?
    public var hash: String?
    public var policy: String?

    public static let optimistic = "optimistic"
    /// Every name that ``strategy`` may have.
    public static var strategies: [String] { MapStrategy.allCases.map(\.rawValue) + [optimistic] }

    /// Throws ``UnknownStrategy``.
    public init(
        strategy: String, shards: Int? = nil, hash: String? = nil, policy: String? = nil
    ) throws(UnknownStrategy) {
        guard ReplayMap.strategies.contains(strategy) else { throw UnknownStrategy(name: strategy) }
        self.strategy = strategy
        self.shards = shards
        self.hash = hash
        self.policy = policy
    }

    /// Whether the map says when two operations meet.
    var looksForConflicts: Bool { strategy == MapStrategy.checked.rawValue }

    /// The fields of the data API's `PUT`.
    public var fields: [String: OptionValue] {
        var fields: [String: OptionValue] = [:]
        fields[OptionField.strategy.rawValue] = .text(strategy == ReplayMap.optimistic ? "sharded" : strategy)
        if strategy == ReplayMap.optimistic { fields[OptionField.reads.rawValue] = .text(ReadMode.optimistic.rawValue) }
        if let shards { fields[OptionField.shards.rawValue] = .integer(shards) }
        if let hash { fields[OptionField.hash.rawValue] = .text(hash) }
        if let policy { fields["policy"] = .text(policy) }
        return fields
    }

    public var description: String {
        strategy + (shards.map { ", \($0) shard\($0 == 1 ? "" : "s")" } ?? "") + (hash.map { ", hash \($0)" } ?? "")
            + (policy.map { ", policy \($0)" } ?? "")
    }
}

/// A name that no strategy has.
public struct UnknownStrategy: Error, Equatable, CustomStringConvertible {
    public let name: String

    public var description: String {
        "strategy \"\(name)\" is unknown; known are \(ReplayMap.strategies.joined(separator: ", "))"
    }
}

extension ReplayMap {
    /// The map of a scenario's fix: the fix's own strategy, or locks where the naive one only looked for conflicts.
    public func fixed(by fix: ScenarioCard.Fix) throws(UnknownStrategy) -> ReplayMap {
        if let strategy = fix.strategy { return try on(strategy: strategy, shards: fix.shards) }
        return looksForConflicts ? try on(strategy: MapStrategy.sharded.rawValue) : self
    }

    /// The same on another strategy, which may take other shards; what only the first one takes is left away.
    public func on(strategy: String, shards: Int? = nil) throws(UnknownStrategy) -> ReplayMap {
        let takesShards = strategy != MapStrategy.rwlock.rawValue
        return try ReplayMap(
            strategy: strategy, shards: takesShards ? shards ?? (looksForConflicts ? nil : self.shards) : nil,
            hash: takesShards ? hash : nil,
            policy: strategy == self.strategy ? policy : nil)
    }
}
