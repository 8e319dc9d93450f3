import InstrumentedMaps
import Instruments

/// Faults that a map of ours could have, planted to see that a trial finds them. A trial that passes says something
/// only beside trials that these have failed.
///
/// The faults of tables are in `Tests/LinearProbe/planted.sh`, as one changed line of source each.
public enum PlantedFault: String, Sendable, CaseIterable {
    // The table behind a guard that lets somebody in whom it should not.

    /// No lock at all.
    case unguarded
    /// Readers take no lock.
    case unguardedReads = "unguarded-reads"
    /// Readers and writers each have a lock, but not the same.
    case twoLocks = "two-locks"
    /// Writers take the side of the lock that is shared.
    case sharedWrites = "shared-writes"
    /// The lock is taken, but let go before the work is done.
    case earlyRelease = "early-release"
    /// One write in a thousand takes no lock.
    case skippedLock = "skipped-lock"
    /// A writer that has waited long enough goes ahead.
    case impatientWriter = "impatient-writer"

    // A sound map behind a wrapper that uses it wrongly.

    /// A store asks first whether the key is there, and answers by that.
    case checkThenStore = "check-then-store"
    /// A delete asks first whether the key is there, and answers by that.
    case checkThenDelete = "check-then-delete"
    /// A store reads, waits, and writes the older value back.
    case lostUpdate = "lost-update"
    /// What reads and writes in one step does it in two.
    case modifyInTwoSteps = "modify-in-two-steps"
    /// A store deletes the old entry before it inserts the new one.
    case replaceInTwoSteps = "replace-in-two-steps"
    /// A cache in front of the map is not told of some deletes.
    case staleCache = "stale-cache"
    /// A store answers before it is done.
    case lateStore = "late-store"
    /// One insert in a thousand is answered as an update.
    case insertAsUpdate = "insert-as-update"
    /// One delete in a thousand that found nothing is answered as a hit.
    case deleteTwice = "delete-twice"
    /// One update in a thousand is counted twice.
    case countedTwice = "counted-twice"
    /// One iteration in fifty leaves an entry out.
    case missedEntry = "missed-entry"
    /// One iteration in fifty shows an entry twice.
    case entryTwice = "entry-twice"

    /// Whether the fault breaks only what the map answers, and never memory: such a trial ends in a report, not perhaps
    /// in a crash.
    public var keepsMemorySafe: Bool {
        switch self {
        case .unguarded, .unguardedReads, .twoLocks, .sharedWrites, .earlyRelease, .skippedLock, .impatientWriter: false
        default: true
        }
    }

    /// Makes of `plan` one that must find the fault: what can crash is looked at often. A wrapper also does things that
    /// nobody asked for, which the ledger would see at once; so only the fault that is for the ledger is shown to it.
    public func prepare(_ plan: inout Plan) {
        plan.isCalm = !keepsMemorySafe
        plan.round = keepsMemorySafe ? 20_000 : 1_000
        plan.keepsLedger = !keepsMemorySafe || self == .countedTwice
    }

    func makeMap() throws -> any InstrumentedMap {
        switch self {
        case .unguarded: return try guarded(by: NoGuard.self)
        case .unguardedReads: return try guarded(by: UnguardedReads.self)
        case .twoLocks: return try guarded(by: TwoLocks.self)
        case .sharedWrites: return try guarded(by: SharedWrites.self)
        case .earlyRelease: return try guarded(by: EarlyRelease.self)
        case .skippedLock: return try guarded(by: SkippedLock.self)
        case .impatientWriter: return try guarded(by: ImpatientWriter.self)
        default: break
        }
        let sound = try Subject.strategy(.sharded).makeMap()
        return switch self {
        case .checkThenStore: CheckThenStore(sound)
        case .checkThenDelete: CheckThenDelete(sound)
        case .lostUpdate: LostUpdate(sound)
        case .modifyInTwoSteps: ModifyInTwoSteps(sound)
        case .replaceInTwoSteps: ReplaceInTwoSteps(sound)
        case .staleCache: StaleCache(sound)
        case .lateStore: LateStore(sound)
        case .insertAsUpdate: InsertAsUpdate(sound)
        case .deleteTwice: DeleteTwice(sound)
        case .countedTwice: CountedTwice(sound)
        case .missedEntry: WrongPages(sound, .missing)
        case .entryTwice: WrongPages(sound, .repeated)
        default: sound
        }
    }

    private func guarded<Guard: ShardGuard & ~Copyable>(by guard: Guard.Type) throws -> any InstrumentedMap {
        Guard.makeMap(name: try MapName("trial"), options: try MapOptions(shards: 2), incarnation: 1, createdAt: 0)
    }
}
