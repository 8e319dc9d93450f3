import Glibc
import InstrumentedMaps
import Linearizability
import TestSupport

/// One of the threads that fight over the hot keys.
struct HotWorker: Sendable {
    /// The size of most values, and of all in a calm trial.
    static let calmSize = 48

    let map: any InstrumentedMap
    private let plan: Plan
    var history: HistoryBuffer
    var answers = Answers()
    private var generator: SeededGenerator
    private var nextValue: UInt64

    /// `firstValue` begins a range of ids that nobody else stores, as long as `operations`.
    init(
        map: any InstrumentedMap, plan: Plan, thread: Int, operations: Int, firstValue: UInt64, clock: HistoryClock
    ) {
        self.map = map
        self.plan = plan
        history = HistoryBuffer(thread: UInt8(thread), capacity: operations, clock: clock)
        generator = SeededGenerator(seed: plan.seed &+ firstValue)
        nextValue = firstValue
    }

    mutating func run() {
        while history.room > 0 {
            let draw = generator.next()
            // Now and then somebody else gets the core, so that no thread has its share to itself.
            if draw >> 56 == 0 { sched_yield() }
            let number = Int(draw & 0xff) % plan.keys
            let key = Plan.hotKey(number)
            switch (draw >> 8) & 0xff {
            case ..<64: store(key, number, size: draw >> 16)
            case ..<124: delete(key, number)
            case ..<126: sweep(key, number)
            case ..<142: insertIfAbsent(key, number)
            case ..<158: update(key, number)
            case ..<174: removeIfEven(key, number)
            case ..<190: getOrInsert(key, number)
            default: load(key, number)
            }
        }
    }

    private mutating func store(_ key: [UInt8], _ number: Int, size draw: UInt64) {
        let id = newValue()
        // Mostly of one size class; else of another one, which moves the record, or of a block of its own.
        let count =
            switch plan.isCalm ? 0x3f : draw & 0x3f {
            case 0: 3_000
            case 1...7: 8 + Int(draw >> 6 & 0xff)
            default: HotWorker.calmSize
            }
        let value = ValueCode.encode(id, count: count)
        let invoked = history.tick()
        let outcome = map.store(key, value)
        history.note(.store, key: UInt16(number), found: outcome == .updated, value: id, since: invoked)
        answers.noteStore(outcome)
    }

    mutating func newValue() -> UInt64 {
        defer { nextValue += 1 }
        return nextValue
    }

    private mutating func delete(_ key: [UInt8], _ number: Int) {
        let invoked = history.tick()
        let hit = map.delete(key)
        history.note(.delete, key: UInt16(number), found: hit, since: invoked)
        answers.noteDelete(hit)
    }

    /// The other way to delete: collect, then delete, of a prefix that is the whole key. It answers 0 when the key was
    /// absent at the one moment or at the other.
    private mutating func sweep(_ key: [UInt8], _ number: Int) {
        let invoked = history.tick()
        let hit = map.deleteMatching(prefix: key) > 0
        history.note(.delete, key: UInt16(number), found: hit, since: invoked)
        if hit { answers.deletes += 1 } else { answers.emptySweeps += 1 }
    }

    private mutating func load(_ key: [UInt8], _ number: Int) {
        let invoked = history.tick()
        let value = map.load(key, isIntoBuffer: invoked & 1 == 0)
        let responded = history.tick()
        let id = value.map { ValueCode.decode($0) } ?? Operation.absent
        history.note(.load, key: UInt16(number), found: value != nil, value: id, from: invoked, to: responded)
        answers.noteLoad(value != nil)
    }
}
