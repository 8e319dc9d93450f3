public import InstrumentedMaps

/// A map to try: a strategy as it is, or one with a fault planted.
public enum Subject: Sendable, CustomStringConvertible {
    case strategy(MapStrategy)
    /// `sharded` whose readers take no lock.
    case optimistic
    case planted(PlantedFault)

    /// By its name: that of a strategy, or of a fault.
    public init?(name: String) {
        if let strategy = MapStrategy(rawValue: name) {
            self = .strategy(strategy)
        } else if name == "optimistic" {
            self = .optimistic
        } else if let fault = PlantedFault(rawValue: name) {
            self = .planted(fault)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .strategy(let strategy): strategy.rawValue
        case .optimistic: "optimistic"
        case .planted(let fault): fault.rawValue
        }
    }

    /// All that is sound.
    public static var sound: [Subject] { MapStrategy.allCases.map { .strategy($0) } + [.optimistic] }

    /// A fresh map. Two shards: hot keys share a shard with each other and with what grows.
    public func makeMap() throws -> any InstrumentedMap {
        switch self {
        case .strategy(let strategy):
            return try make(
                MapOptions(
                    strategy: strategy, shards: strategy == .rwlock ? nil : 2,
                    policy: strategy == .checked ? .count : nil))
        case .optimistic: return try make(MapOptions(shards: 2, reads: .optimistic))
        case .planted(let fault): return try fault.makeMap()
        }
    }

    private func make(_ options: MapOptions) throws -> any InstrumentedMap {
        let host = MapHost { 0 }
        let name = try MapName("trial")
        _ = try host.create(name, options)
        return try host.mapForWriting(name)
    }
}
