import CSystem
package import Instruments
import Synchronization

// `checked`: one word a shard says who is inside, and whoever comes must claim a bit of it before it touches memory. So an
// overlap is found always, both parties are known, and nothing is corrupted: the one that came second never got in.
//
//      31     30       29      28 … 17   16       15 … 0
//     busy   asleep   urgent     –      writer   readers, walks and looks, a bit each
//
//     claim:  busy := 1 (compare-exchange) ─▶ anybody in the way? ──no──▶ my bit, my details; busy := 0 ─▶ inside
//                                                  └─yes─▶ copy the details of that one; busy := 0 ─▶ report, wait or leave
//     leave:  my bit := 0 (compare-exchange, while not busy)
//
// Details stand beside the word, a row of relaxed cells a bit, and only whoever has set `busy` touches them, for some ten
// nanoseconds: so a report is never torn, and a holder cannot leave while its details are copied. A seventeenth reader
// waits, unreported. Maintenance and counts claim too, with details that say nobody: they wait, are waited for, and are no
// party of a conflict.
//
// `asleep` says that somebody sleeps at the word, `urgent` that one of them writes: readers who have not slept yet stay out,
// so that a stream of readers starves no writer. A sleeper looks again by itself after a millisecond.
//
// Tried before: a lock beside the word that only keeps the details whole. It is this word's `busy` with one more line.

/// `checked`: an exclusive side and a shared side as a lock has them, and whoever meets somebody is told of it.
///
/// Each operation on one key is linearizable. In mode `global` operations follow one another, so none meets another.
/// Cost: two locked instructions and some ten cells an operation, beside the clock and the key's hash.
package struct CheckedGuard: ShardGuard, ~Copyable {
    package var readersShare: Bool { true }

    private static let busy: UInt32 = 1 << 31
    private static let asleep: UInt32 = 1 << 30
    private static let urgent: UInt32 = 1 << 29
    private static let writer: UInt32 = 1 << 16
    private static let readers: UInt32 = 1 << 16 - 1

    private let word = Atomic<UInt32>(0)
    private let details = ClaimDetails()
    private let meter: LockMeter

    package init(_ waits: WaitRecord?) { meter = LockMeter(waits) }

    package borrowing func exclusively<R>(_ body: () -> R) -> R {
        let claim = claimQuietly(isExclusive: true)
        defer { leave(claim) }
        return body()
    }

    package borrowing func sharing<R>(as access: LockAccess, _ body: () -> R) -> R {
        let claim = claimQuietly(isExclusive: false)
        defer { leave(claim) }
        return body()
    }

    package borrowing func exclusively<R>(for watch: OperationWatch, _ body: () -> R) -> R? {
        if watch.isRefusedAlready() { return nil }
        guard let claim = claim(Wanted(isExclusive: true, watch: watch)) else { return nil }
        defer { leave(claim) }
        return body()
    }

    package borrowing func sharing<R>(
        as access: LockAccess, for watch: OperationWatch, _ body: () -> R
    ) -> R? {
        if watch.isRefusedAlready() { return nil }
        guard let claim = claim(Wanted(isExclusive: false, watch: watch)) else { return nil }
        defer { leave(claim) }
        return body()
    }

    /// Looks for about two milliseconds; see `ShardLock.lockSoon()`.
    package borrowing func exclusivelySoon<R>(_ body: () -> R) -> R? {
        let wanted = Wanted(isExclusive: true, watch: nil)
        for _ in 0..<16 {
            if case .inside(let claim) = tryClaim(wanted, hasSlept: false) {
                defer { leave(claim) }
                return body()
            }
            let seen = word.load(ordering: .relaxed)
            if seen & CheckedGuard.holders != 0 { sleep(seen, nanoseconds: 60_000) }
        }
        return nil
    }

    package borrowing func sample(now: UInt64) -> LockSample { meter.sample(now: now) }

    package borrowing func add(to glance: inout ShardGlance) { meter.add(to: &glance) }

    package var waiters: UInt64 { meter.waiters }

    // MARK: - Claiming

    /// What somebody wants; without a watch it is nobody's operation and no party of a conflict.
    private struct Wanted {
        let isExclusive: Bool
        let watch: OperationWatch?
    }

    /// A bit of the word, by its number.
    private typealias Claim = Int

    private enum Try {
        case inside(Claim)
        /// Somebody is in the way: the one that makes it a conflict, nil when none does.
        case met(MapConflict.Party?)
    }

    private static var holders: UInt32 { readers | writer }

    /// For what is nobody's operation, which is never refused.
    private borrowing func claimQuietly(isExclusive: Bool) -> Claim {
        guard let claim = claim(Wanted(isExclusive: isExclusive, watch: nil)) else {
            preconditionFailure("a claim without a watch is never refused")
        }
        return claim
    }

    /// Claims, waiting if it must; nil when the operation is refused.
    private borrowing func claim(_ wanted: Wanted) -> Claim? {
        switch tryClaim(wanted, hasSlept: false) {
        case .inside(let claim): return claim
        case .met(let holder):
            var isReported = false
            if let holder, let watch = wanted.watch {
                guard watch.mayWait(for: holder) else { return nil }
                isReported = true
            }
            var claim: Claim?
            meter.clockWait(exclusively: false, averting: nil) { claim = wait(wanted, isReported: isReported) }
            return claim
        }
    }

    /// Tries again until it is in or, when it meets somebody whom it has not reported yet, refused. An operation reports
    /// one conflict, however many it waits for.
    private borrowing func wait(_ wanted: Wanted, isReported: Bool) -> Claim? {
        var isReported = isReported
        var tries = 0
        while true {
            switch tryClaim(wanted, hasSlept: tries > CheckedGuard.spins) {
            case .inside(let claim): return claim
            case .met(let holder):
                if let holder, let watch = wanted.watch, !isReported {
                    guard watch.mayWait(for: holder) else { return nil }
                    isReported = true
                }
            }
            tries += 1
            if tries <= CheckedGuard.spins { mapwatch_pause() } else { sleepUntilSomebodyLeaves(wanted) }
        }
    }

    /// Tries before a thread goes to sleep.
    private static let spins = 64

    private borrowing func tryClaim(_ wanted: Wanted, hasSlept: Bool) -> Try {
        let seen = takeBusy()
        let inTheWay = wanted.isExclusive ? seen & CheckedGuard.holders : seen & CheckedGuard.writer
        let isKeptOut = !wanted.isExclusive && !hasSlept && seen & CheckedGuard.urgent != 0
        let isFull = seen & CheckedGuard.readers == CheckedGuard.readers
        if inTheWay != 0 || isKeptOut || isFull {
            let holder = wanted.watch.flatMap { details.party(among: inTheWay, meetingWith: $0) }
            word.store(seen, ordering: .releasing)
            return .met(holder)
        }
        let claim = wanted.isExclusive ? 16 : (~seen).trailingZeroBitCount
        details.set(claim, wanted.watch?.party)
        meter.countExclusively()
        var after = seen | 1 << UInt32(claim)
        if wanted.isExclusive { after &= ~CheckedGuard.urgent }
        // Others may sleep still: whoever has slept wakes the next one when it leaves.
        if hasSlept { after |= CheckedGuard.asleep }
        word.store(after, ordering: .releasing)
        return .inside(claim)
    }

    private borrowing func leave(_ claim: Claim) {
        var seen = word.load(ordering: .relaxed)
        while true {
            if seen & CheckedGuard.busy == 0 {
                var after = seen & ~(1 << UInt32(claim))
                let wakes = seen & CheckedGuard.asleep != 0 && after & CheckedGuard.holders == 0
                if wakes { after &= ~CheckedGuard.asleep }
                let result = word.compareExchange(
                    expected: seen, desired: after, successOrdering: .releasing, failureOrdering: .relaxed)
                if result.exchanged {
                    if wakes { wakeOne() }
                    return
                }
                seen = result.original
            } else {
                seen = lookAgain()
            }
        }
    }

    /// Sets `busy` and returns the word without it. Whoever has it keeps it for some ten nanoseconds.
    private borrowing func takeBusy() -> UInt32 {
        var seen = word.load(ordering: .relaxed)
        var looks = 0
        while true {
            if seen & CheckedGuard.busy == 0 {
                let result = word.compareExchange(
                    expected: seen, desired: seen | CheckedGuard.busy, successOrdering: .acquiring,
                    failureOrdering: .relaxed)
                if result.exchanged { return seen }
                seen = result.original
            } else {
                looks += 1
                // The one that has it may have been put to sleep by the kernel: let it run.
                if looks % CheckedGuard.spins == 0 { mapwatch_yield() }
                seen = lookAgain()
            }
        }
    }

    private borrowing func lookAgain() -> UInt32 {
        mapwatch_pause()
        return word.load(ordering: .relaxed)
    }

    // MARK: - Sleeping

    private borrowing func sleepUntilSomebodyLeaves(_ wanted: Wanted) {
        let seen = word.load(ordering: .relaxed)
        if seen & CheckedGuard.busy != 0 { return mapwatch_yield() }
        if seen & CheckedGuard.holders == 0 { return }
        let hint = CheckedGuard.asleep | (wanted.isExclusive ? CheckedGuard.urgent : 0)
        let isSet =
            seen & hint == hint
            || word.compareExchange(expected: seen, desired: seen | hint, ordering: .relaxed).exchanged
        if isSet { sleep(seen | hint, nanoseconds: 1_000_000) }
    }

    private borrowing func sleep(_ expected: UInt32, nanoseconds: UInt64) {
        // Safety: the word has an address of its own for as long as the guard is borrowed.
        unsafe withUnsafePointer(to: word) { unsafe mapwatch_futex_wait($0, expected, nanoseconds) }
    }

    private borrowing func wakeOne() {
        // Safety: the kernel only looks the address up; the word may be gone by then, and then nobody sleeps there.
        unsafe withUnsafePointer(to: word) { unsafe mapwatch_futex_wake_one($0) }
    }
}

/// Who stands behind each bit of a shard's word.
///
/// A class, because the `deinit` of a noncopyable struct in a generic one cannot be relied on (Swift 6.3.1, release builds).
@safe
private final class ClaimDetails: @unchecked Sendable {
    private struct Row: ~Copyable {
        /// 0 for nobody's.
        let operation = Counter()
        let keyHash = Counter()
        /// Caller and thread.
        let who = Counter()
        let since = Counter()
    }

    private static let count = 17

    // Safety: 17 rows of atomic cells, initialised for the life of this object.
    private let rows: UnsafeMutablePointer<Row>

    init() {
        unsafe rows = .allocate(capacity: ClaimDetails.count)
        for index in 0..<ClaimDetails.count { unsafe (rows + index).initialize(to: Row()) }
    }

    deinit {
        unsafe rows.deinitialize(count: ClaimDetails.count)
        unsafe rows.deallocate()
    }

    /// By whoever has set `busy`.
    func set(_ claim: Int, _ party: MapConflict.Party?) {
        unsafe rows[claim].operation.set(UInt64(party?.operation.rawValue ?? 0))
        guard let party else { return }
        unsafe rows[claim].keyHash.set(party.keyHash)
        unsafe rows[claim].who.set(UInt64(party.caller.id) << 32 | UInt64(party.thread))
        unsafe rows[claim].since.set(party.since)
    }

    /// The first of `bits` that makes it a conflict for `watch`; nil when none does. By whoever has set `busy`.
    func party(among bits: UInt32, meetingWith watch: OperationWatch) -> MapConflict.Party? {
        var bits = bits
        while bits != 0 {
            let claim = bits.trailingZeroBitCount
            bits &= bits &- 1
            let code = UInt8(truncatingIfNeeded: unsafe rows[claim].operation.value)
            guard let operation = ObservedOperation(rawValue: code), watch.conflicts(with: operation) else { continue }
            let who = unsafe rows[claim].who.value
            return MapConflict.Party(
                caller: Caller(id: UInt32(who >> 32)), thread: UInt32(truncatingIfNeeded: who), operation: operation,
                keyHash: unsafe rows[claim].keyHash.value, since: unsafe rows[claim].since.value)
        }
        return nil
    }
}
