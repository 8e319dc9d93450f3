import InstrumentedMaps
import Scenarios

/// One thread's operations, drawn from a seed, with a tally of what the map answered.
struct Worker: Sendable {
    private let map: any InstrumentedMap
    private let thread: UInt8
    private var random: SplitMix
    private(set) var tally = Tally()

    init(map: any InstrumentedMap, thread: UInt8, seed: UInt64) {
        self.map = map
        self.thread = thread
        random = SplitMix(seed: seed &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(thread))
    }

    mutating func run(operations: Int) {
        for number in 0..<operations {
            // Half the tables go at once, so that indexes shrink and slabs are given back.
            if number % 8_192 == 8_191 { tally.deletes += UInt64(map.deleteMatching(prefix: [thread])) }
            switch draw(1_000) {
            case 0: iterate(.snapshot)
            case 1: iterate(.live)
            case 3: _ = map.maintain(budget: draw(1_000))
            case 2: tally.deletes += UInt64(map.deleteMatching(prefix: [0xff, UInt8(draw(8))]))
            case 4..<30: noteDelete(map.delete(grownKey(draw(UInt64(number + 1)))))
            case ..<60: grow(number)
            case ..<130: update([0xff, UInt8(draw(8))])
            case ..<160: noteDelete(map.remove([0xff, UInt8(draw(8))]) { $0.count < 100 })
            case ..<165: store([0xff, UInt8(draw(8))], count: 3_000)
            case ..<400: store([0xff, UInt8(draw(8))], count: draw(200))
            case ..<650: noteDelete(map.delete([0xff, UInt8(draw(8))]))
            default: load([0xff, UInt8(draw(8))])
            }
        }
    }

    /// Keys of this thread alone, half of which stay for a while, so that tables grow and slabs become half empty.
    private mutating func grow(_ number: Int) {
        store(grownKey(number), count: 1)
    }

    private func grownKey(_ number: Int) -> [UInt8] {
        [
            thread, UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8),
            UInt8(truncatingIfNeeded: number),
        ]
    }

    /// All bytes of a value are equal, so that a torn one shows.
    private mutating func store(_ key: [UInt8], count: Int) {
        switch map.store(key, [UInt8](repeating: UInt8(draw(256)), count: count)) {
        case .inserted: tally.inserts += 1
        case .updated: tally.updates += 1
        case .refused: tally.surprises += 1  // nothing bounds this map
        }
    }

    /// Puts one byte more than there was, all equal and each one higher; nothing else may become of it.
    private mutating func update(_ key: [UInt8]) {
        let outcome = map.update(key) { value in
            let count = value?.count ?? 0
            value = [UInt8](repeating: (value?.first ?? 0) &+ 1, count: count + 1)
        }
        switch outcome {
        case .stored(.inserted): tally.inserts += 1
        case .stored(.updated): tally.updates += 1
        case .stored(.refused): tally.surprises += 1  // nothing bounds this map
        case .removed, .kept: tally.surprises += 1
        }
    }

    private mutating func noteDelete(_ hit: Bool) {
        if hit { tally.deletes += 1 }
    }

    private mutating func load(_ key: [UInt8]) {
        guard let value = map.load(key) else {
            tally.loadMisses += 1
            return
        }
        tally.loads += 1
        noteTorn(value)
    }

    private mutating func iterate(_ kind: IterationKind) {
        guard let iterator = try? map.iterate(kind, prefix: [0xff], maximumBytes: 1 << 40) else { return }
        while !iterator.isAtEnd {
            for entry in iterator.next(limit: 3, maximumBytes: .max) { noteTorn(entry.value) }
        }
    }

    private mutating func noteTorn(_ value: [UInt8]) {
        if value.contains(where: { $0 != value[0] }) { tally.torn += 1 }
    }

    private mutating func draw(_ bound: UInt64) -> Int { Int(random.next() % bound) }
}

/// What the map answered to one thread.
struct Tally: Sendable {
    var inserts: UInt64 = 0
    var updates: UInt64 = 0
    var deletes: UInt64 = 0
    var loads: UInt64 = 0
    var loadMisses: UInt64 = 0
    var torn: UInt64 = 0
    /// Outcomes that an operation cannot have.
    var surprises: UInt64 = 0

    static func + (left: Tally, right: Tally) -> Tally {
        Tally(
            inserts: left.inserts + right.inserts, updates: left.updates + right.updates,
            deletes: left.deletes + right.deletes, loads: left.loads + right.loads,
            loadMisses: left.loadMisses + right.loadMisses, torn: left.torn + right.torn,
            surprises: left.surprises + right.surprises)
    }
}
