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

    /// The same from named fields, as they stand in the data API's JSON and in the YAML.
    public init(fields: [String: OptionValue]) throws(MapOptionsError) {
        for name in fields.keys.sorted() where OptionField(rawValue: name) == nil { throw .unknownField(name) }
        var strategy = MapStrategy.sharded
        if let value = fields[OptionField.strategy.rawValue] {
            guard case .text(let name) = value else { throw .wrongType(.strategy, wanted: "a text", value) }
            guard let known = MapStrategy(rawValue: name) else { throw .unknownStrategy(name) }
            strategy = known
        }
        var shards: Int?
        if let value = fields[OptionField.shards.rawValue] {
            guard case .integer(let count) = value else { throw .wrongType(.shards, wanted: "a whole number", value) }
            shards = count
        }
        try self.init(strategy: strategy, shards: shards)
    }
}

/// The options of a map by their names in JSON and YAML.
public enum OptionField: String, Sendable, CaseIterable {
    case strategy
    case shards
}

/// The value of an option as a file or a request has it.
public enum OptionValue: Sendable, Equatable {
    case integer(Int)
    case text(String)
    /// Anything else, as it was written.
    case other(String)

    var description: String {
        switch self {
        case .integer(let number): "\(number)"
        case .text(let text): "\"\(text)\""
        case .other(let written): written
        }
    }
}

/// Why options were refused.
public enum MapOptionsError: Error, Equatable, CustomStringConvertible {
    case unknownField(String)
    case wrongType(OptionField, wanted: String, OptionValue)
    case unknownStrategy(String)
    case shardsOutOfRange(Int)
    case strategyTakesNoShards(MapStrategy)

    /// The option that is wrong, as it is spelt in JSON and YAML.
    public var field: String {
        switch self {
        case .unknownField(let name): name
        case .wrongType(let field, _, _): field.rawValue
        case .unknownStrategy: "strategy"
        case .shardsOutOfRange, .strategyTakesNoShards: "shards"
        }
    }

    public var description: String {
        switch self {
        case .unknownField(let name):
            let known = OptionField.allCases.map(\.rawValue).joined(separator: ", ")
            return "option \"\(name)\" is unknown; known are \(known)"
        case .wrongType(let field, let wanted, let value):
            return "\(field.rawValue) must be \(wanted), not \(value.description)"
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
