import InstrumentedMaps
import Instruments

/// Plays one scenario on one map, second by second. One caller at a time.
public struct ScenarioPlayer: Sendable {
    private var scenario: any Scenario
    private let card: ScenarioCard
    private let target: any MapTarget
    private let overlap: any Overlap
    private let ledger = Ledger()
    private var lane: Lane
    /// Operations attempted so far, retries aside.
    public private(set) var operations = 0
    private var planDigest = Digest()

    public init(_ scenario: any Scenario, on target: any MapTarget, overlap: any Overlap) {
        self.scenario = scenario
        card = type(of: scenario).card
        self.target = target
        self.overlap = overlap
        lane = Lane(target: target, ledger: ledger)
    }

    /// Plays the next second; to be called with 0, 1, … in order.
    public mutating func play(second: Int) throws {
        for turn in scenario.plan(second: second) {
            operations += turn.operations
            planDigest.add(turn)
            switch turn {
            case .lanes(let lanes): try run(lanes)
            case .overlap(let first, let second): try collide(first, second)
            }
        }
    }

    private mutating func run(_ lanes: [[Step]]) throws {
        let names = card.lanes
        let busy = lanes.enumerated().filter { !$0.element.isEmpty }
        let done = LockedState<[Lane]>([])
        try Threads.run(busy.count) { [target, ledger] number in
            guard busy.indices.contains(number) else { return }
            var lane = Lane(target: target, ledger: ledger)
            let (index, steps) = (busy[number].offset, busy[number].element)
            try withCaller(.named(names[min(index, names.count - 1)])) { for step in steps { try lane.take(step) } }
            done.withLock { $0.append(lane) }
        }
        for other in done.withLock({ $0 }) { lane.add(other) }
    }

    private mutating func collide(_ first: Step, _ second: Step) throws {
        let done = LockedState<[Lane]>([])
        let take: @Sendable (Step, String) throws -> Void = { [target, ledger, overlap] step, name in
            var lane = Lane(target: target, ledger: ledger, isColliding: true, pause: overlap.waitAfterRefusal)
            try withCaller(.named(name)) { try lane.take(step) }
            done.withLock { $0.append(lane) }
        }
        let names = (card.lanes[0], MeetingOverlap.holder(card))
        try overlap.run({ try take(first, names.0) }, { try take(second, names.1) })
        for other in done.withLock({ $0 }) { lane.add(other) }
    }

    /// What it came to; reads the whole map and compares it with the ledger.
    public func outcome() throws -> PlayedOutcome {
        var contents: [[UInt8]: [UInt8]] = [:]
        try target.walk(.snapshot, pageEntries: 5000) { page in
            for entry in page { contents[entry.key] = entry.value }
            return true
        }
        ledger.audit(contents)
        var digest = Digest()
        for key in contents.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            digest.add(key)
            digest.add(contents[key] ?? [])
        }
        let sorted = lane.nanoseconds.sorted()
        func quantile(_ share: Double) -> UInt64 {
            sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
        }
        return PlayedOutcome(
            operations: operations, plan: planDigest.value, contents: digest.value, entries: contents.count,
            lost: ledger.lost, stale: ledger.stale, medianNanoseconds: quantile(0.5), p99Nanoseconds: quantile(0.99),
            refusals: lane.refusals)
    }
}

/// What the operations of a scenario came to.
public struct PlayedOutcome: Sendable {
    /// Attempted, retries aside.
    public let operations: Int
    /// Of every turn that was planned.
    public let plan: UInt64
    /// Of the map's contents at the end.
    public let contents: UInt64
    public let entries: Int
    /// Reads that missed what should have been there, and acknowledged writes that were not there at the end.
    public let lost: Int
    /// Reads of what should have been gone or newer, and entries that should not have been there at the end.
    public let stale: Int
    /// Of single calls, waits and retries included.
    public let medianNanoseconds: UInt64
    public let p99Nanoseconds: UInt64
    /// Calls that were refused and tried again.
    public let refusals: Int
}

/// FNV-1a over bytes, each run of them ended by a zero.
struct Digest: Sendable {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        value = value &* 0x100_0000_01b3
    }

    mutating func add(_ number: Int) { value = (value ^ UInt64(bitPattern: Int64(number))) &* 0x100_0000_01b3 }

    /// What the turn asks for.
    mutating func add(_ turn: Turn) {
        switch turn {
        case .lanes(let lanes): for step in lanes.joined() { add(step) }
        case .overlap(let first, let second):
            add(first)
            add(second)
        }
    }

    private mutating func add(_ step: Step) {
        add(step.operations)
        for key in step.keys { add(key.number) }
        if case .put(_, let version, let bytes) = step {
            add(version)
            add(bytes)
        }
    }
}
