public import InstrumentedMaps

/// One thing that a lane of a scenario does.
public enum Step: Sendable {
    /// Stores the key with a value that carries this version.
    case put(Key, version: Int, bytes: Int)
    /// Loads the key and compares it with the ledger.
    case get(Key)
    case remove(Key)
    /// Says that these are to be gone for everybody from now on. Nothing is done to the map yet: whoever still finds one
    /// has read stale.
    case revoke([Key])
    /// Takes these away although they should stay: whoever misses one meanwhile has lost a read.
    case clear([Key])
    /// Reads the whole map.
    case walk(IterationKind, pageEntries: Int)
    /// Deletes these, or those of them that come first.
    case sweep([Key], Sweep)

    /// How a sweep deletes.
    public enum Sweep: Sendable {
        /// In the body of a loop over the map, until so many were met.
        case inTheLoop(pageEntries: Int, limit: Int)
        /// Walks a snapshot, collects, then deletes.
        case collected(pageEntries: Int)
        /// In one call that names their prefix.
        case byPrefix(String)
    }

    /// The keys that it writes or reads by name.
    var keys: [Key] {
        switch self {
        case .put(let key, _, _), .get(let key), .remove(let key): [key]
        case .revoke(let keys), .clear(let keys), .sweep(let keys, _): keys
        case .walk: []
        }
    }

    /// The operations that it attempts, retries and pages aside.
    var operations: Int {
        switch self {
        case .put, .get, .remove, .walk: 1
        case .revoke: 0
        case .clear(let keys): keys.count
        case .sweep(let keys, .inTheLoop(_, let limit)): 1 + min(limit, keys.count)
        case .sweep(let keys, .collected): 1 + keys.count
        case .sweep(_, .byPrefix): 1
        }
    }
}

/// What is done before anything else begins.
public enum Turn: Sendable {
    /// Several lanes at once, each its steps in order, on keys of its own.
    case lanes([[Step]])
    /// The conflicting step: the second is begun while the first is under way, on purpose.
    case overlap(Step, Step)

    var operations: Int {
        switch self {
        case .lanes(let lanes): lanes.reduce(0) { $0 + $1.reduce(0) { $0 + $1.operations } }
        case .overlap(let first, let second): first.operations + second.operations
        }
    }
}

/// The key of an entry: a kind, which is its prefix, and a number.
public struct Key: Hashable, Sendable {
    public let kind: String
    public let number: Int

    init(_ kind: String, _ number: Int) {
        self.kind = kind
        self.number = number
    }

    /// All keys of a kind are of one length, so that entries are of one size.
    var bytes: [UInt8] { Array("\(kind):\(String(10_000_000 + number).dropFirst())".utf8) }
}

/// The value of an entry: its version in ten digits, and what fills it up.
enum Value {
    static func bytes(version: Int, count: Int) -> [UInt8] {
        var bytes = Array(String(10_000_000_000 + version).utf8.dropFirst())
        bytes += [UInt8](repeating: UInt8(ascii: "x"), count: max(0, count - bytes.count))
        return bytes
    }

    static func version(_ bytes: [UInt8]) -> Int? { Int(String(decoding: bytes.prefix(10), as: UTF8.self)) }
}
