import CSystem
import Glibc
public import Instruments

// What becomes of a conflict, on the thread of the operation that came second, with nothing of the shard held:
//
//     count it ─▶ tell the observer ─┬─ trap    the text on stderr, SIGABRT
//                                    ├─ reject  and the operation can say so: refused, its scope remembers the conflict
//                                    └─ else    wait until the other has left

/// How many conflicts one map has found.
public struct ConflictSample: Sendable, Equatable {
    public var readWrites: UInt64 = 0
    public var writeWrites: UInt64 = 0
    public var iterateWrites: UInt64 = 0
    /// Operations that were refused for one.
    public var refusals: UInt64 = 0

    public init() {}

    public subscript(kind: ConflictKind) -> UInt64 {
        switch kind {
        case .readWrite: readWrites
        case .writeWrite: writeWrites
        case .iterateWrite: iterateWrites
        }
    }
}

/// What a map of strategy `checked` does about conflicts, and their number. Any thread.
final class ConflictChecks: Sendable {
    private let policy: ConflictPolicy
    private let checksReads: Bool
    private let readWrites = Counter()
    private let writeWrites = Counter()
    private let iterateWrites = Counter()
    private let refusals = Counter()

    init(_ options: MapOptions) {
        policy = options.policy
        checksReads = options.checksReads
    }

    var sample: ConflictSample {
        var sample = ConflictSample()
        (sample.readWrites, sample.writeWrites) = (readWrites.value, writeWrites.value)
        (sample.iterateWrites, sample.refusals) = (iterateWrites.value, refusals.value)
        return sample
    }

    /// Whether two operations that meet are a conflict, and of which kind.
    func kind(_ found: ObservedOperation, _ holder: ObservedOperation) -> ConflictKind? {
        if !checksReads, found == .load || holder == .load { return nil }
        return found.access.conflict(with: holder.access)
    }

    /// Counts a conflict and does what the policy says; false when the operation is refused, true when it is to wait.
    func mayWait(after conflict: MapConflict, _ observer: (any OperationObserver)?) -> Bool {
        switch conflict.kind {
        case .readWrite: readWrites.add()
        case .writeWrite: writeWrites.add()
        case .iterateWrite: iterateWrites.add()
        }
        observer?.didConflict(conflict)
        switch policy {
        case .trap: ConflictTrap.end(conflict)
        case .count: return true
        case .reject:
            guard let scope = RefusalScope.current else { return true }
            scope.conflict = conflict
            refusals.add()
            return false
        }
    }
}

/// What this thread does and can refuse to do: where a refused operation leaves its conflict.
final class RefusalScope {
    /// The first one; once there is one, no operation of the scope is done any more.
    var conflict: MapConflict?

    /// The innermost scope that this thread is in.
    static var current: RefusalScope? {
        // Safety: set by `run`, which keeps the scope alive until it has set the outer one again, on this thread alone.
        unsafe mapwatch_refusal_scope().map { unsafe Unmanaged<RefusalScope>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Does `body`, and throws the conflict for which an operation in it was refused.
    static func run<R>(_ body: () -> R) throws(MapConflict) -> R {
        let scope = RefusalScope()
        let outer = unsafe mapwatch_refusal_scope()
        unsafe mapwatch_set_refusal_scope(Unmanaged.passUnretained(scope).toOpaque())
        let result = withExtendedLifetime(scope) { body() }
        unsafe mapwatch_set_refusal_scope(outer)
        if let conflict = scope.conflict { throw conflict }
        return result
    }

    /// The conflict for which the last operation was refused; the scope goes on without it.
    func take() -> MapConflict? {
        defer { conflict = nil }
        return conflict
    }
}

/// Ends the process as Go's runtime would.
enum ConflictTrap {
    /// More would not help whoever reads it.
    static let maximumBytes = 4096

    static func text(_ conflict: MapConflict) -> [UInt8] {
        let waited = (conflict.found.since &- min(conflict.holder.since, conflict.found.since)) / 1_000
        let text = """
            fatal error: \(conflict.kind.text)
            map "\(conflict.map)", shard \(conflict.shard)
            found by \(conflict.found)
            holder   \(conflict.holder), which had begun \(waited) us before

            """
        return Array(text.utf8.prefix(maximumBytes))
    }

    static func end(_ conflict: MapConflict) -> Never {
        let text = text(conflict)
        // Safety: the call reads `text.count` bytes of the array.
        _ = unsafe text.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
        // No handler of SIGABRT writes anything behind these lines.
        _ = signal(SIGABRT, SIG_DFL)
        abort()
    }
}
