// What a lock's holder is at, so that whoever finds it busy knows what would have happened without the lock:
//
//                     found: read         write          iterate        lookAhead
//     own read        –                   read_write     –              –
//     own write       read_write          write_write    iterate_write  read_write
//     own iterate     –                   iterate_write  –              –
//     own lookAhead   –                   –              –              –
//
// The holder says what it is at in the lock word itself, in the very instruction that takes the lock; so a lock that
// nobody else wants pays nothing for it. A word beside the lock, stored under it, was the other way: one more store each.

/// What somebody does inside a lock.
public enum LockAccess: UInt32, Sendable {
    case read = 0
    case write = 1
    /// A walk over many entries, which changes nothing.
    case iterate = 2
    /// A look at what an operation will need soon; the operation itself comes later and speaks for both.
    case lookAhead = 3

    /// What two who do this at once without the lock would not survive; nil when it harms neither.
    @usableFromInline
    package func conflict(with holder: LockAccess) -> ConflictKind? {
        switch (self, holder) {
        case (.lookAhead, _): nil
        case (.write, .write): .writeWrite
        case (.write, .iterate), (.iterate, .write): .iterateWrite
        case (.write, _), (.read, .write): .readWrite
        default: nil
        }
    }
}

/// Which two operations met, or would have met if a lock had not kept them apart; the names of the series' label.
public enum ConflictKind: String, Sendable, CaseIterable {
    case readWrite = "read_write"
    case writeWrite = "write_write"
    case iterateWrite = "iterate_write"
}

/// How many conflicts of each kind were averted.
public struct AvertedConflicts: Sendable, Equatable {
    public var readWrites: UInt64
    public var writeWrites: UInt64
    public var iterateWrites: UInt64

    public init(readWrites: UInt64 = 0, writeWrites: UInt64 = 0, iterateWrites: UInt64 = 0) {
        self.readWrites = readWrites
        self.writeWrites = writeWrites
        self.iterateWrites = iterateWrites
    }

    public subscript(kind: ConflictKind) -> UInt64 {
        switch kind {
        case .readWrite: readWrites
        case .writeWrite: writeWrites
        case .iterateWrite: iterateWrites
        }
    }

    /// The conflicts of two locks together.
    public static func &+ (left: AvertedConflicts, right: AvertedConflicts) -> AvertedConflicts {
        AvertedConflicts(
            readWrites: left.readWrites &+ right.readWrites, writeWrites: left.writeWrites &+ right.writeWrites,
            iterateWrites: left.iterateWrites &+ right.iterateWrites)
    }
}

/// The cells that count averted conflicts, bumped by whoever has just found a lock busy.
struct AvertedConflictCounters: ~Copyable, Sendable {
    private let readWrites = Counter()
    private let writeWrites = Counter()
    private let iterateWrites = Counter()

    func count(_ conflict: ConflictKind) {
        switch conflict {
        case .readWrite: readWrites.add()
        case .writeWrite: writeWrites.add()
        case .iterateWrite: iterateWrites.add()
        }
    }

    var sample: AvertedConflicts {
        AvertedConflicts(
            readWrites: readWrites.value, writeWrites: writeWrites.value, iterateWrites: iterateWrites.value)
    }
}
