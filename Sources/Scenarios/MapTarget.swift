public import InstrumentedMaps

/// What a scenario operates on: a map in this process, or one of a daemon elsewhere.
public protocol MapTarget: Sendable {
    func load(_ key: [UInt8]) async throws -> [UInt8]?
    func store(_ key: [UInt8], _ value: [UInt8]) async throws
    func delete(_ key: [UInt8]) async throws -> Bool
}

/// A map in this process.
public struct LocalTarget: MapTarget {
    private let map: any InstrumentedMap

    public init(_ map: any InstrumentedMap) { self.map = map }

    public func load(_ key: [UInt8]) async -> [UInt8]? { map.load(key) }

    public func store(_ key: [UInt8], _ value: [UInt8]) async { map.store(key, value) }

    public func delete(_ key: [UInt8]) async -> Bool { map.delete(key) }
}
