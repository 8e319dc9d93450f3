import Glibc
public import Instruments

extension ConflictKind {
    /// The words that Go dies with.
    public var text: String {
        switch self {
        case .readWrite: "concurrent map read and map write"
        case .writeWrite: "concurrent map writes"
        case .iterateWrite: "concurrent map iteration and map write"
        }
    }
}

/// Two operations on one shard at one time, of which at least one writes: a map without a guard would not have survived.
public struct MapConflict: Error, Sendable, Equatable, CustomStringConvertible {
    /// One of the two.
    public struct Party: Sendable, Equatable, CustomStringConvertible {
        public let caller: Caller
        /// The kernel's number of the thread.
        public let thread: UInt32
        public let operation: ObservedOperation
        /// As in ``OperationEvent/keyHash``.
        public let keyHash: UInt64
        /// When it began, in nanoseconds of `MonotonicClock`.
        public let since: UInt64

        public init(
            caller: Caller, thread: UInt32, operation: ObservedOperation, keyHash: UInt64, since: UInt64
        ) {
            self.caller = caller
            self.thread = thread
            self.operation = operation
            self.keyHash = keyHash
            self.since = since
        }

        /// The caller's name or, without one, `thread NAME/TID`. Cost: asks the kernel for the thread's name.
        public var who: String {
            caller.name.map { "caller \"\($0)\"" } ?? "thread \(ThreadName.of(thread))/\(thread)"
        }

        /// 16 digits, lower case.
        public var keyHashText: String {
            let digits = String(keyHash, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }

        public var description: String { "\(who), \(operation.name), key hash \(keyHashText)" }
    }

    public let map: MapName
    public let shard: Int
    public let kind: ConflictKind
    /// The one that came second.
    public let found: Party
    /// The one that was inside.
    public let holder: Party

    public init(map: MapName, shard: Int, kind: ConflictKind, found: Party, holder: Party) {
        self.map = map
        self.shard = shard
        self.kind = kind
        self.found = found
        self.holder = holder
    }

    /// Go's words, the place, and both parties, in one line: under 1 KiB, for a name has at most 64 bytes.
    public var description: String {
        let microseconds = (found.since &- min(holder.since, found.since)) / 1_000
        return "\(kind.text): map \"\(map)\", shard \(shard): \(found) met \(holder), "
            + "which had begun \(microseconds) us before"
    }
}

/// The kernel's name of a thread of this process.
enum ThreadName {
    static func of(_ thread: UInt32) -> String {
        let file = unsafe open("/proc/self/task/\(thread)/comm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "?" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 16)
        // Safety: the call writes at most `bytes.count` bytes of the array.
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
        let name = bytes.prefix(max(0, count)).prefix { $0 != 0x0a }
        // A thread may call itself anything: what would break a line or a quote is shown as a dot.
        return String(decoding: name.map { (0x21...0x7e).contains($0) && $0 != 0x22 ? $0 : 0x2e }, as: UTF8.self)
    }
}
