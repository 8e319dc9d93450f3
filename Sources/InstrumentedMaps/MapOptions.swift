/// How a map's shards are guarded.
public enum MapStrategy: String, Sendable, CaseIterable {
    /// Many shards, each with an exclusive lock and a table of its own.
    case sharded
    /// One table under one lock that readers share, as the articles' `RWMutex` around a map.
    case rwlock
}

/// What is decided of a map when it is created, and holds for its life.
///
/// The same fields stand in the data API's `PUT`, in the YAML and in Swift.
public struct MapOptions: Sendable, Equatable {
    /// The number of shards that `sharded` takes when nobody says otherwise: 16 keep eight writers on two cores out of
    /// each other's way to within a few per cent of 256, for a sixteenth of the series (`Benchmarks`, shard sweep).
    public static let defaultShards = 16
    public static let shardRange = 1...1024

    public let strategy: MapStrategy
    /// The number of shards: locks, tables and rows of counters.
    public let shards: Int

    /// Throws ``MapOptionsError`` for a combination that no map can have.
    public init(strategy: MapStrategy = .sharded, shards: Int? = nil) throws(MapOptionsError) {
        switch strategy {
        case .sharded:
            let count = shards ?? MapOptions.defaultShards
            guard MapOptions.shardRange.contains(count) else { throw .shardsOutOfRange(count) }
            self.shards = count
        case .rwlock:
            guard shards == nil else { throw .strategyTakesNoShards(strategy) }
            self.shards = 1
        }
        self.strategy = strategy
    }

    /// The same from the texts of a file or a request.
    public init(strategyName: String?, shards: Int?) throws(MapOptionsError) {
        guard let strategyName else {
            try self.init(shards: shards)
            return
        }
        guard let strategy = MapStrategy(rawValue: strategyName) else { throw .unknownStrategy(strategyName) }
        try self.init(strategy: strategy, shards: shards)
    }
}

/// Why options were refused.
public enum MapOptionsError: Error, Equatable, CustomStringConvertible {
    case unknownStrategy(String)
    case shardsOutOfRange(Int)
    case strategyTakesNoShards(MapStrategy)

    /// The option that is wrong, as it is spelt in JSON and YAML.
    public var field: String {
        switch self {
        case .unknownStrategy: "strategy"
        case .shardsOutOfRange, .strategyTakesNoShards: "shards"
        }
    }

    public var description: String {
        switch self {
        case .unknownStrategy(let name):
            let known = MapStrategy.allCases.map(\.rawValue).joined(separator: ", ")
            return "strategy \"\(name)\" is unknown; known are \(known)"
        case .shardsOutOfRange(let count):
            let range = MapOptions.shardRange
            return "shards must be \(range.lowerBound) to \(range.upperBound), not \(count)"
        case .strategyTakesNoShards(let strategy):
            return "shards cannot be set: strategy \"\(strategy.rawValue)\" has one lock"
        }
    }
}
