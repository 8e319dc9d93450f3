import InstrumentedMaps
import TestSupport

/// The thread that makes tables grow and shrink under the hot keys. Its keys are its own, so it knows every answer.
struct Churner: Sendable {
    /// Enough that a shard's index grows eight times and its records fill slabs of every size.
    private static let keys = 3_000

    private let map: any InstrumentedMap
    private(set) var answers = Answers()
    private(set) var problems: [String] = []
    private var generator: SeededGenerator
    /// The id of the value of each key; 0 where there is none.
    private var expected = [UInt64](repeating: 0, count: Churner.keys)
    private var present = 0
    private var nextValue: UInt64 = 1
    private var isGrowing = true
    /// How often the tables have grown and shrunk again.
    private(set) var cycles = 0

    init(map: any InstrumentedMap, seed: UInt64) {
        self.map = map
        generator = SeededGenerator(seed: seed)
    }

    mutating func run(until done: Flag) {
        while !done.isRaised, problems.isEmpty {
            for _ in 0..<64 { step() }
        }
    }

    /// Looks at every key: what must be there is there, and nothing else.
    mutating func audit() {
        for number in 0..<Churner.keys { load(number) }
    }

    /// Entries enough to keep each slab in use, and the index of its size.
    mutating func fill() {
        for number in 0..<64 { store(number, count: HotWorker.calmSize) }
    }

    private mutating func step() {
        if isGrowing, present > Churner.keys * 9 / 10 {
            isGrowing = false
        } else if !isGrowing, present < Churner.keys / 16 {
            isGrowing = true
            cycles += 1
        }
        let number = Int(generator.next() % UInt64(Churner.keys))
        let size = 8 + Int(generator.next() % 56)
        // One write in 28 goes against the tide, which ends at 1/28 from full or empty.
        switch generator.next() % 32 {
        case ..<4: load(number)
        case ..<31: if isGrowing { store(number, count: size) } else { delete(number) }
        default: if isGrowing { delete(number) } else { store(number, count: size) }
        }
    }

    private mutating func store(_ number: Int, count: Int) {
        let id = nextValue
        nextValue += 1
        let value = ValueCode.encode(id, count: count)
        let outcome = map.store(Plan.churnKey(number), value)
        answers.noteStore(outcome)
        if (outcome == .inserted) != (expected[number] == 0) { problems.append("churn: store was \(outcome)") }
        if expected[number] == 0 { present += 1 }
        expected[number] = id
    }

    private mutating func delete(_ number: Int) {
        let hit = map.delete(Plan.churnKey(number))
        answers.noteDelete(hit)
        if hit != (expected[number] != 0) { problems.append("churn: delete was a \(hit ? "hit" : "miss")") }
        if expected[number] != 0 { present -= 1 }
        expected[number] = 0
    }

    private mutating func load(_ number: Int) {
        let id = map.load(Plan.churnKey(number), isIntoBuffer: number & 4 == 0).map(ValueCode.decode) ?? 0
        answers.noteLoad(id != 0)
        if id != expected[number] { problems.append("churn: load gave \(id), not \(expected[number])") }
    }

    /// Keys that are there now.
    var keysPresent: Int { present }
}
