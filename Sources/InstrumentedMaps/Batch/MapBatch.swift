// Operations gathered in one block of bytes, and what they came to in another:
//
//     input    [ key │ key │ value │ key │ … ]      the bytes of keys, each with the value to store, if any
//     items    [ kind, place in input, hash, outcome, place in output ]
//     output   [ value │ value │ … ]                the values that loads have found
//
// Emptied and filled again, a batch allocates nothing.

/// Several operations on one map, to be done together by ``InstrumentedMap/perform(_:)``.
///
/// For one thread at a time; it copies the bytes that it is given, and is not copied itself.
public struct MapBatch: ~Copyable, Sendable {
    /// What one operation came to.
    public enum Outcome: Sendable, Equatable {
        /// A load that found its key: its value is in the batch.
        case found
        /// A store that inserted, updated, or was refused for want of memory.
        case stored(StoreOutcome)
        /// A delete that found its key.
        case deleted
        /// A load or a delete of a key that was not there.
        case absent
        /// Not done, because it met another operation: see ``MapBatch/conflict(of:)``.
        case conflict
        /// A delete that the map's guard refused while a live iterator is open.
        case removalRefused
    }

    @usableFromInline var input = ByteBuffer()
    @usableFromInline var items = BatchItems()
    @usableFromInline var output = ByteBuffer()

    /// Whether an operation that meets another is refused.
    var refusesConflicts = false
    private var conflicts: [Int: MapConflict] = [:]

    public init() {}

    /// Operations in the batch.
    public var count: Int { items.count }

    /// Adds a load of `key`.
    @inlinable
    public mutating func load(_ key: Span<UInt8>) {
        items.append(BatchItem(.load, at: input.count, keyCount: key.count))
        input.append(copying: key)
    }

    /// Adds a delete of `key`.
    @inlinable
    public mutating func delete(_ key: Span<UInt8>) {
        items.append(BatchItem(.delete, at: input.count, keyCount: key.count))
        input.append(copying: key)
    }

    /// Adds a store of `value` under `key`, for `ttlSeconds` (``MapOptions/ttlRange``) or, without them, for as long as the
    /// map's entries live.
    public mutating func store(_ key: Span<UInt8>, _ value: Span<UInt8>, ttlSeconds: Int? = nil) {
        precondition(ttlSeconds.map(MapOptions.ttlRange.contains) ?? true, "an entry lives for 1 second to 1 year")
        items.append(
            BatchItem(
                .store, at: input.count, keyCount: key.count, valueCount: value.count,
                seconds: UInt32(ttlSeconds ?? 0)))
        input.append(copying: key)
        input.append(copying: value)
    }

    /// Takes all operations and results away, and keeps the memory for the next ones.
    public mutating func removeAll() {
        input.removeAll()
        items.removeAll()
        output.removeAll()
        if !conflicts.isEmpty { conflicts = [:] }
    }

    /// The conflict for which operation `index` was not done.
    public func conflict(of index: Int) -> MapConflict? { conflicts[index] }

    /// What operation `index` came to; `absent` before the batch was performed.
    @inlinable
    public func outcome(of index: Int) -> Outcome { items[index].outcome }

    /// Shows `body` the value that operation `index` has loaded; nil when it is no load or found nothing.
    @inlinable
    public func withValue<R>(of index: Int, _ body: (Span<UInt8>?) -> R) -> R {
        guard items[index].outcome == .found else { return body(nil) }
        return output.withBytes(items[index].loadedStart, items[index].loadedCount) { body($0) }
    }

    /// A copy of the value that operation `index` has loaded; nil when it is no load or found nothing.
    public func value(of index: Int) -> [UInt8]? {
        withValue(of: index) { value in
            guard let value else { return nil }
            return [UInt8](copying: value)
        }
    }

    // MARK: - For the map

    /// Notes that the last operation was refused, if it was.
    mutating func noteConflict(of index: Int) {
        guard let conflict = RefusalScope.current?.take() else { return }
        items[index].outcome = .conflict
        conflicts[index] = conflict
    }
}
