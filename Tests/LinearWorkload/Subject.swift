public import InstrumentedMaps

/// A map to try: a strategy as it is, or one with a fault planted.
public enum Subject: Sendable, CustomStringConvertible {
    case strategy(MapStrategy)
    case planted(PlantedFault)

    /// By its name: that of a strategy, or of a fault.
    public init?(name: String) {
        if let strategy = MapStrategy(rawValue: name) {
            self = .strategy(strategy)
        } else if let fault = PlantedFault(rawValue: name) {
            self = .planted(fault)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .strategy(let strategy): strategy.rawValue
        case .planted(let fault): fault.rawValue
        }
    }

    /// A fresh map. Two shards: hot keys share a shard with each other and with what grows.
    public func makeMap() throws -> any InstrumentedMap {
        switch self {
        case .strategy(let strategy):
            let host = MapHost { 0 }
            let name = try MapName("trial")
            _ = try host.create(name, MapOptions(strategy: strategy, shards: strategy == .rwlock ? nil : 2))
            return try host.mapForWriting(name)
        case .planted(let fault): return try fault.makeMap()
        }
    }
}
