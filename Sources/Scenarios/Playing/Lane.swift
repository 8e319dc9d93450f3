import Glibc
import InstrumentedMaps
import Instruments

/// Takes steps on a target, notes what was acknowledged in the ledger and how long each call took.
struct Lane: Sendable {
    let target: any MapTarget
    let ledger: Ledger
    private(set) var nanoseconds: [UInt64] = []
    /// Calls that were refused, each of which was tried again.
    private(set) var refusals = 0

    /// In a conflicting step a read may find either value, so nothing is said of it.
    private let isColliding: Bool
    /// Waits until a refused call is worth another try, so that one meeting is not found a thousand times.
    private let pause: @Sendable () -> Void

    init(
        target: any MapTarget, ledger: Ledger, isColliding: Bool = false,
        pause: @escaping @Sendable () -> Void = { usleep(100) }
    ) {
        self.target = target
        self.ledger = ledger
        self.isColliding = isColliding
        self.pause = pause
    }

    mutating func take(_ step: Step) throws {
        switch step {
        case .put(let key, let version, let bytes):
            let (name, value) = (key.bytes, Value.bytes(version: version, count: bytes))
            try call { try $0.store(name, value) }
            ledger.wrote(key, version: version)
        case .get(let key):
            let name = key.bytes
            let value = try call { try $0.load(name) }
            if !isColliding { ledger.check(key, value) }
        case .remove(let key):
            let name = key.bytes
            _ = try call { try $0.delete(name) }
            ledger.removed(key)
        case .revoke(let keys):
            for key in keys { ledger.removed(key) }
        case .clear(let keys):
            for key in keys {
                let name = key.bytes
                _ = try call { try $0.delete(name) }
            }
        case .walk(let kind, let pageEntries):
            try call { try $0.walk(kind, pageEntries: pageEntries) { _ in true } }
        case .sweep(let keys, let sweep):
            try take(sweep, of: keys)
        }
    }

    private mutating func take(_ sweep: Step.Sweep, of keys: [Key]) throws {
        switch sweep {
        case .inTheLoop(let pageEntries, let limit):
            try sweepInTheLoop(keys, pageEntries: pageEntries, limit: limit)
        case .collected(let pageEntries):
            let wanted = Dictionary(uniqueKeysWithValues: keys.map { ($0.bytes, $0) })
            let collected = try call { target in
                var collected: [[UInt8]] = []
                try target.walk(.snapshot, pageEntries: pageEntries) { page in
                    for entry in page where wanted[entry.key] != nil { collected.append(entry.key) }
                    return true
                }
                return collected
            }
            _ = try call { try $0.delete(collected) }
            for key in keys { ledger.removed(key) }
        case .byPrefix(let prefix):
            let name = Array("\(prefix):".utf8)
            _ = try call { try $0.deleteMatching(prefix: name) }
            for key in keys { ledger.removed(key) }
        }
    }

    /// The accident of the articles: the body of the loop deletes from the map that it walks.
    private mutating func sweepInTheLoop(_ keys: [Key], pageEntries: Int, limit: Int) throws {
        var wanted = Dictionary(uniqueKeysWithValues: keys.map { ($0.bytes, $0) })
        var met = 0
        var lane = Lane(target: target, ledger: ledger, isColliding: isColliding, pause: pause)
        try call { target in
            try target.walk(.live, pageEntries: pageEntries) { page in
                for entry in page {
                    guard met < limit, let key = wanted.removeValue(forKey: entry.key) else { continue }
                    try lane.take(.remove(key))
                    met += 1
                }
                return met < limit
            }
        }
        add(lane)
    }

    /// Calls the target until it does not refuse.
    private mutating func call<R>(_ body: (any MapTarget) throws -> R) throws -> R {
        let start = MonotonicClock.nanoseconds()
        defer { nanoseconds.append(MonotonicClock.nanoseconds() &- start) }
        while true {
            do { return try body(target) } catch let refused as OperationRefused {
                refusals += 1
                if refusals > Lane.maximumRefusals { throw refused }
                pause()
            }
        }
    }

    /// A map that refuses more often than this refuses for ever.
    private static let maximumRefusals = 100_000

    mutating func add(_ other: Lane) {
        nanoseconds += other.nanoseconds
        refusals += other.refusals
    }
}
