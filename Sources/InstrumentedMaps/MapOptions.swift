/// How a map's shards are guarded.
public enum MapStrategy: String, Sendable, CaseIterable {
    /// Many shards, each with an exclusive lock and a table of its own.
    case sharded
    /// One table under one lock that readers share, as the articles' `RWMutex` around a map.
    case rwlock
    /// As `sharded`, but two operations that meet in a shard and of which one writes are a conflict, which is counted and
    /// reported, and refused, made to wait or fatal, as ``ConflictPolicy`` says.
    case checked
}

/// How a shard is read.
public enum ReadMode: String, Sendable, CaseIterable {
    /// Under the shard's lock.
    case locked
    /// Without it: what was read counts when the shard's version is the same before and after, else it is read again,
    /// in the end under the lock.
    case optimistic
}

/// What is decided of a map when it is created, and holds for its life.
///
/// The same fields stand in the data API's `PUT`, in the YAML and in Swift.
public struct MapOptions: Sendable, Equatable {
    /// The number of shards that `sharded` takes when nobody says otherwise: with 2, 8 and 32 threads on two cores 32
    /// shards gave 105, 98 and 110 % of what 256 gave (16: 83, 90 and 100 %), for an eighth of the series: some 800 a map
    /// (`Benchmarks`, shard sweep).
    public static let defaultShards = 32
    public static let shardRange = 1...1024

    public let strategy: MapStrategy
    /// The number of shards: locks, tables and rows of counters.
    public let shards: Int
    public let reads: ReadMode
    /// Bytes of records and index that the map may hold, as `map_allocated_bytes` shows them; nil for no bound of its
    /// own.
    public let maximumBytes: Int?
    /// The mode in which the map starts; it can be switched later, so a map that stands is the same in either.
    public let mode: MapMode
    /// Less would not hold a slab.
    public static let smallestMaximumBytes = 1 << 16

    /// How long an entry lives after its last write, where the write does not say; nil for ever. An entry is gone for
    /// everybody once its time is over, and counts as a delete when maintenance gives its memory back.
    public let ttlSeconds: Int?
    /// Up to a year.
    public static let ttlRange = 1...31_536_000

    /// What chooses an entry's shard.
    public let hash: ShardHash

    /// What `checked` does about a conflict; the other strategies have none.
    public let policy: ConflictPolicy
    /// Whether `checked` takes a load that meets a write for a conflict; else the one waits for the other.
    public let checksReads: Bool

    /// What becomes of a delete while a live iterator is open.
    public let deletionGuard: DeletionGuard

    /// Throws ``MapOptionsError`` for a combination that no map can have.
    public init(
        strategy: MapStrategy = .sharded, shards: Int? = nil, reads: ReadMode? = nil, maximumBytes: Int? = nil,
        ttlSeconds: Int? = nil, mode: MapMode = .normal, hash: ShardHash? = nil,
        policy: ConflictPolicy? = nil, checksReads: Bool? = nil,
        deletionGuard: DeletionGuard = .allow
    ) throws(MapOptionsError) {
        if let ttlSeconds, !MapOptions.ttlRange.contains(ttlSeconds) { throw .ttlOutOfRange(ttlSeconds) }
        self.ttlSeconds = ttlSeconds
        if let maximumBytes, maximumBytes < MapOptions.smallestMaximumBytes {
            throw .maximumBytesTooSmall(maximumBytes)
        }
        self.maximumBytes = maximumBytes
        self.mode = mode
        if strategy == .checked {
            guard reads == nil else { throw .strategyTakesNoReads(strategy) }
        } else {
            guard policy == nil else { throw .strategyChecksNothing(strategy, .policy) }
            guard checksReads == nil else { throw .strategyChecksNothing(strategy, .checksReads) }
        }
        self.policy = policy ?? .reject
        self.checksReads = checksReads ?? true
        self.deletionGuard = deletionGuard
        switch strategy {
        case .sharded, .checked:
            let count = shards ?? MapOptions.defaultShards
            guard MapOptions.shardRange.contains(count) else { throw .shardsOutOfRange(count) }
            self.shards = count
        case .rwlock:
            guard shards == nil else { throw .strategyTakesNoShards(strategy) }
            guard reads == nil else { throw .strategyTakesNoReads(strategy) }
            guard hash == nil else { throw .strategyTakesNoHash(strategy) }
            self.shards = 1
        }
        self.reads = reads ?? .locked
        self.hash = hash ?? .keyed
        self.strategy = strategy
    }

    /// The same from named fields, as they stand in the data API's JSON and in the YAML.
    public init(fields: [String: OptionValue]) throws(MapOptionsError) {
        for name in fields.keys.sorted() where OptionField(rawValue: name) == nil { throw .unknownField(name) }
        var mode = MapMode.normal
        if let value = fields[OptionField.mode.rawValue] {
            guard case .text(let name) = value else { throw .wrongType(.mode, wanted: "a text", value) }
            mode = try MapMode(named: name)
        }
        let strategy = try MapOptions.text(.strategy, in: fields).map { name throws(MapOptionsError) in
            guard let known = MapStrategy(rawValue: name) else { throw .unknownStrategy(name) }
            return known
        }
        let reads = try MapOptions.text(.reads, in: fields).map { name throws(MapOptionsError) in
            guard let known = ReadMode(rawValue: name) else { throw .unknownReads(name) }
            return known
        }
        let hash = try MapOptions.text(.hash, in: fields).map { name throws(MapOptionsError) in
            guard let known = ShardHash(rawValue: name) else { throw .unknownHash(name) }
            return known
        }
        let policy = try MapOptions.text(.policy, in: fields).map { name throws(MapOptionsError) in
            guard let known = ConflictPolicy(rawValue: name) else { throw .unknownPolicy(name) }
            return known
        }
        let deletionGuard = try MapOptions.text(.deletionGuard, in: fields).map { name throws(MapOptionsError) in
            guard let known = DeletionGuard(rawValue: name) else { throw .unknownGuard(name) }
            return known
        }
        try self.init(
            strategy: strategy ?? .sharded, shards: MapOptions.integer(.shards, in: fields), reads: reads,
            maximumBytes: MapOptions.integer(.maximumBytes, in: fields),
            ttlSeconds: MapOptions.integer(.ttlSeconds, in: fields), mode: mode, hash: hash,
            policy: policy, checksReads: MapOptions.truth(.checksReads, in: fields),
            deletionGuard: deletionGuard ?? .allow)
    }

    /// Whether a map with these options is one with `other`: all but the mode is the same, since that can be switched.
    func describeSameMap(as other: MapOptions) -> Bool {
        strategy == other.strategy && shards == other.shards && reads == other.reads
            && maximumBytes == other.maximumBytes && ttlSeconds == other.ttlSeconds && hash == other.hash
            && policy == other.policy && checksReads == other.checksReads
            && deletionGuard == other.deletionGuard
    }

    private static func text(
        _ field: OptionField, in fields: [String: OptionValue]
    ) throws(MapOptionsError) -> String? {
        guard let value = fields[field.rawValue] else { return nil }
        guard case .text(let text) = value else { throw .wrongType(field, wanted: "a text", value) }
        return text
    }

    private static func truth(
        _ field: OptionField, in fields: [String: OptionValue]
    ) throws(MapOptionsError) -> Bool? {
        guard let value = fields[field.rawValue] else { return nil }
        guard case .truth(let truth) = value else { throw .wrongType(field, wanted: "true or false", value) }
        return truth
    }

    private static func integer(
        _ field: OptionField, in fields: [String: OptionValue]
    ) throws(MapOptionsError) -> Int? {
        guard let value = fields[field.rawValue] else { return nil }
        guard case .integer(let number) = value else { throw .wrongType(field, wanted: "a whole number", value) }
        return number
    }
}

/// The options of a map by their names in JSON and YAML.
public enum OptionField: String, Sendable, CaseIterable {
    case strategy
    case shards
    case reads
    case maximumBytes = "max_bytes"
    case ttlSeconds = "ttl_seconds"
    case mode
    case hash
    case policy
    case checksReads = "check_reads"
    case deletionGuard = "guard"
}

/// The value of an option as a file or a request has it.
public enum OptionValue: Sendable, Equatable {
    case integer(Int)
    case text(String)
    case truth(Bool)
    /// Anything else, as it was written.
    case other(String)

    var description: String {
        switch self {
        case .integer(let number): "\(number)"
        case .text(let text): "\"\(text)\""
        case .truth(let truth): "\(truth)"
        case .other(let written): written
        }
    }
}

/// Why options were refused.
public enum MapOptionsError: Error, Equatable, CustomStringConvertible {
    case unknownField(String)
    case wrongType(OptionField, wanted: String, OptionValue)
    case unknownStrategy(String)
    case unknownMode(String)
    case shardsOutOfRange(Int)
    case strategyTakesNoShards(MapStrategy)
    case unknownReads(String)
    case unknownHash(String)
    case unknownGuard(String)
    case strategyTakesNoHash(MapStrategy)
    case strategyTakesNoReads(MapStrategy)
    case unknownPolicy(String)
    case strategyChecksNothing(MapStrategy, OptionField)
    case maximumBytesTooSmall(Int)
    case ttlOutOfRange(Int)

    /// The option that is wrong, as it is spelt in JSON and YAML.
    public var field: String {
        switch self {
        case .unknownField(let name): name
        case .wrongType(let field, _, _): field.rawValue
        case .unknownStrategy: "strategy"
        case .unknownMode: "mode"
        case .shardsOutOfRange, .strategyTakesNoShards: "shards"
        case .unknownReads, .strategyTakesNoReads: "reads"
        case .unknownHash, .strategyTakesNoHash: "hash"
        case .unknownGuard: "guard"
        case .maximumBytesTooSmall: "max_bytes"
        case .unknownPolicy: "policy"
        case .strategyChecksNothing(_, let field): field.rawValue
        case .ttlOutOfRange: "ttl_seconds"
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
        case .unknownMode(let name):
            let known = MapMode.allCases.map(\.rawValue).joined(separator: ", ")
            return "mode \"\(name)\" is unknown; known are \(known)"
        case .shardsOutOfRange(let count):
            let range = MapOptions.shardRange
            return "shards must be \(range.lowerBound) to \(range.upperBound), not \(count)"
        case .strategyTakesNoShards(let strategy):
            return "shards cannot be set: strategy \"\(strategy.rawValue)\" has one lock"
        case .unknownReads(let name):
            let known = ReadMode.allCases.map(\.rawValue).joined(separator: ", ")
            return "reads \"\(name)\" is unknown; known are \(known)"
        case .unknownPolicy(let name):
            let known = ConflictPolicy.allCases.map(\.rawValue).joined(separator: ", ")
            return "policy \"\(name)\" is unknown; known are \(known)"
        case .strategyChecksNothing(let strategy, let field):
            return
                "\(field.rawValue) cannot be set: strategy \"\(strategy.rawValue)\" checks nothing, only \"checked\" does"
        case .strategyTakesNoReads(.checked):
            return "reads cannot be set: strategy \"checked\" reads under its shards' words"
        case .strategyTakesNoReads(let strategy):
            return "reads cannot be set: readers of strategy \"\(strategy.rawValue)\" share its lock"
        case .unknownHash(let name):
            let known = ShardHash.allCases.map(\.rawValue).joined(separator: ", ")
            return "hash \"\(name)\" is unknown; known are \(known)"
        case .strategyTakesNoHash(let strategy):
            return "hash cannot be set: strategy \"\(strategy.rawValue)\" has one shard"
        case .unknownGuard(let name):
            let known = DeletionGuard.allCases.map(\.rawValue).joined(separator: ", ")
            return "guard \"\(name)\" is unknown; known are \(known)"
        case .maximumBytesTooSmall(let count):
            return "max_bytes must be at least \(MapOptions.smallestMaximumBytes), not \(count)"
        case .ttlOutOfRange(let seconds):
            let range = MapOptions.ttlRange
            return "ttl_seconds must be \(range.lowerBound) to \(range.upperBound), not \(seconds)"
        }
    }
}
