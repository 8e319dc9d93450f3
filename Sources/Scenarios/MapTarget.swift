public import InstrumentedMaps

/// What a scenario operates on: a map in this process, or one of a daemon elsewhere.
///
/// Concurrency: any thread. Calls block until they are answered. One that a map on fail-fast detection refuses throws
/// ``OperationRefused``, and has changed nothing.
public protocol MapTarget: Sendable {
    func load(_ key: [UInt8]) throws -> [UInt8]?
    func store(_ key: [UInt8], _ value: [UInt8]) throws
    func delete(_ key: [UInt8]) throws -> Bool
    /// Deletes these, gathered into as few steps as the map offers, and returns how many were there.
    func delete(_ keys: [[UInt8]]) throws -> Int
    /// Collects the keys that begin with `prefix`, then deletes them, and returns how many.
    func deleteMatching(prefix: [UInt8]) throws -> Int
    /// Shows `body` page after page of a walk until it says false or the walk ends.
    func walk(_ kind: IterationKind, pageEntries: Int, _ body: ([MapEntry]) throws -> Bool) throws
}

/// An operation was refused because another one was under way that excludes it.
public struct OperationRefused: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// A map in this process.
public struct LocalTarget: MapTarget {
    private let map: any InstrumentedMap

    public init(_ map: any InstrumentedMap) { self.map = map }

    public func load(_ key: [UInt8]) throws -> [UInt8]? { try refusing { $0.load(key) } }

    public func store(_ key: [UInt8], _ value: [UInt8]) throws { try refusing { _ = $0.store(key, value) } }

    public func delete(_ key: [UInt8]) throws -> Bool { try refusing { $0.delete(key) } }

    public func delete(_ keys: [[UInt8]]) -> Int {
        var batch = MapBatch()
        for key in keys { batch.delete(key.span) }
        map.perform(&batch)
        return keys.indices.count { batch.outcome(of: $0) == .deleted }
    }

    public func deleteMatching(prefix: [UInt8]) -> Int { map.deleteMatching(prefix: prefix) }

    public func walk(_ kind: IterationKind, pageEntries: Int, _ body: ([MapEntry]) throws -> Bool) throws {
        let iterator: any MapIterator
        do {
            iterator = try map.iterateRefusingConflicts(kind, prefix: [], maximumBytes: .max)
        } catch .conflict(let conflict) {
            throw OperationRefused("\(conflict)")
        }
        while !iterator.isAtEnd {
            guard try body(iterator.next(limit: pageEntries, maximumBytes: .max)) else { return }
        }
    }

    private func refusing<R>(_ body: (any InstrumentedMap) -> R) throws(OperationRefused) -> R {
        do { return try map.refusingConflicts(body) } catch { throw OperationRefused("\(error)") }
    }
}
