// Operations gathered in one block of bytes, and what they came to in another:
//
//     input    [ key │ value │ key │ key │ value │ … ]      the bytes of keys and of values to store
//     items    [ kind, place in input, hash, outcome, place in output ]
//     output   [ value │ value │ … ]                        the values that loads have found
//
// Emptied and filled again, a batch allocates nothing.

/// Several operations on one map, to be done together by ``InstrumentedMap/perform(_:)``.
///
/// A value, for one thread at a time; it copies the bytes that it is given.
public struct MapBatch: Sendable {
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

    enum Kind {
        case load
        case store
        case delete
    }

    struct Item {
        let kind: Kind
        let key: Range<Int>
        let value: Range<Int>
        let ttlSeconds: Int?
        var hash = KeyHash(bits: 0)
        var outcome = Outcome.absent
        var loaded = 0..<0
    }

    private var input: [UInt8] = []
    var items: [Item] = []
    var output: [UInt8] = []

    /// Whether an operation that meets another is refused.
    var refusesConflicts = false
    private var conflicts: [Int: MapConflict] = [:]

    public init() {}

    /// Operations in the batch.
    public var count: Int { items.count }

    /// Adds a load of `key`.
    public mutating func load(_ key: Span<UInt8>) { add(.load, key) }

    /// Adds a delete of `key`.
    public mutating func delete(_ key: Span<UInt8>) { add(.delete, key) }

    /// Adds a store of `value` under `key`, for `ttlSeconds` (``MapOptions/ttlRange``) or, without them, for as long as the
    /// map's entries live.
    public mutating func store(_ key: Span<UInt8>, _ value: Span<UInt8>, ttlSeconds: Int? = nil) {
        precondition(ttlSeconds.map(MapOptions.ttlRange.contains) ?? true, "an entry lives for 1 second to 1 year")
        add(.store, key, append(value), ttlSeconds)
    }

    /// Takes all operations and results away, and keeps the memory for the next ones.
    public mutating func removeAll() {
        input.removeAll(keepingCapacity: true)
        items.removeAll(keepingCapacity: true)
        output.removeAll(keepingCapacity: true)
        if !conflicts.isEmpty { conflicts = [:] }
    }

    /// The conflict for which operation `index` was not done.
    public func conflict(of index: Int) -> MapConflict? { conflicts[index] }

    /// What operation `index` came to; `absent` before the batch was performed.
    public func outcome(of index: Int) -> Outcome { items[index].outcome }

    /// Shows `body` the value that operation `index` has loaded; nil when it is no load or found nothing.
    public func withValue<R>(of index: Int, _ body: (Span<UInt8>?) -> R) -> R {
        guard items[index].outcome == .found else { return body(nil) }
        return body(output.span.extracting(items[index].loaded))
    }

    /// A copy of the value that operation `index` has loaded; nil when it is no load or found nothing.
    public func value(of index: Int) -> [UInt8]? {
        items[index].outcome == .found ? Array(output[items[index].loaded]) : nil
    }

    // MARK: - For the map

    /// Notes that the last operation was refused, if it was.
    mutating func noteConflict(of index: Int) {
        guard let conflict = RefusalScope.current?.take() else { return }
        items[index].outcome = .conflict
        conflicts[index] = conflict
    }

    /// Shows `body` the key of operation `index`, and the value that it is to store.
    @inline(__always)
    func withOperands<R>(of index: Int, _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> R) -> R {
        let item = items[index]
        let input = input.span
        return body(input.extracting(item.key), input.extracting(item.value))
    }

    @inline(__always)
    private mutating func add(
        _ kind: Kind, _ key: Span<UInt8>, _ value: Range<Int> = 0..<0, _ ttlSeconds: Int? = nil
    ) {
        items.append(Item(kind: kind, key: append(key), value: value, ttlSeconds: ttlSeconds))
    }

    @inline(__always)
    private mutating func append(_ bytes: Span<UInt8>) -> Range<Int> {
        let start = input.count
        input.append(copying: bytes)
        return start..<input.count
    }
}
