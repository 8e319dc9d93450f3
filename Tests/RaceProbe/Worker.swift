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
            case 4..<10: performBatch()
            case ..<30: noteDelete(map.delete(grownKey(draw(UInt64(number + 1)))))
            case ..<60: grow(number)
            case ..<130: update(lastingKey())
            case ..<160: noteDelete(map.remove(lastingKey()) { $0.count < 100 })
            case ..<165: store(lastingKey(), count: 3_000)
            case ..<190: storePerishing()
            case ..<200: notePerishingDelete(map.delete(perishingKey()))
            case ..<215: load(perishingKey())
            case ..<400: store(lastingKey(), count: draw(200))
            case ..<650: noteDelete(map.delete(lastingKey()))
            default: load(lastingKey())
            }
        }
    }

    /// Keys of this thread alone, half of which stay for a while, so that tables grow and slabs become half empty.
    private mutating func grow(_ number: Int) {
        store(grownKey(number), count: 1)
    }

    private func grownKey(_ number: Int) -> [UInt8] {
        filled([
            thread, UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8),
            UInt8(truncatingIfNeeded: number),
        ])
    }

    /// All bytes of a value are equal, so that a torn one shows.
    private mutating func store(_ key: [UInt8], count: Int) {
        noteStore(map.store(key, [UInt8](repeating: UInt8(draw(256)), count: count)))
    }

    /// Keys that are never stored without a deadline, so that whatever of them nobody deletes must have expired.
    private mutating func perishingKey() -> [UInt8] { filled([0xfe, UInt8(draw(64))]) }

    private mutating func lastingKey() -> [UInt8] { filled([0xff, UInt8(draw(8))]) }

    /// Most keys with 10 bytes: those from 8 on go another way through a table.
    private func filled(_ start: [UInt8]) -> [UInt8] {
        start[start.count - 1] % 4 == 0 ? start : start + [UInt8](repeating: 7, count: 8)
    }

    private mutating func storePerishing() {
        let value = [UInt8](repeating: UInt8(draw(256)), count: draw(200))
        notePerishing(map.store(perishingKey(), value, ttlSeconds: 1 + draw(3)))
    }

    private mutating func notePerishing(_ outcome: StoreOutcome) {
        noteStore(outcome)
        if outcome == .inserted { tally.perishing += 1 }
    }

    private mutating func noteStore(_ outcome: StoreOutcome) {
        switch outcome {
        case .inserted: tally.inserts += 1
        case .updated: tally.updates += 1
        case .refused: tally.surprises += 1  // nothing bounds this map
        }
    }

    /// Up to 16 operations in one call; of the stores every fourth has a deadline.
    private mutating func performBatch() {
        var batch = MapBatch()
        var perishing: [Bool] = []
        var loads: UInt64 = 0
        for _ in 0...draw(16) {
            let (key, lasting) = (perishingKey(), lastingKey())
            let perishes = draw(4) == 0
            perishing.append(perishes)
            let chosen = perishes ? key : lasting
            switch draw(3) {
            case 0:
                batch.load(chosen.span)
                loads += 1
            case 1: batch.delete(chosen.span)
            default:
                let value = [UInt8](repeating: UInt8(draw(256)), count: draw(200))
                batch.store(chosen.span, value.span, ttlSeconds: perishes ? 1 + draw(3) : nil)
            }
        }
        map.perform(&batch)
        var found: UInt64 = 0
        for index in 0..<batch.count {
            switch batch.outcome(of: index) {
            case .stored(let outcome): if perishing[index] { notePerishing(outcome) } else { noteStore(outcome) }
            case .deleted: if perishing[index] { notePerishingDelete(true) } else { noteDelete(true) }
            case .found:
                found += 1
                if let value = batch.value(of: index) { noteTorn(value) }
            case .absent: break
            case .conflict: tally.surprises += 1
            case .removalRefused: tally.surprises += 1
            }
        }
        tally.loads += found
        tally.loadMisses += loads - found
    }

    /// Puts one byte more than there was, all equal and each one higher; nothing else may become of it.
    private mutating func update(_ key: [UInt8]) {
        let outcome = map.update(key) { value in
            let count = value?.count ?? 0
            value = [UInt8](repeating: (value?.first ?? 0) &+ 1, count: count + 1)
        }
        switch outcome {
        case .stored(let stored): noteStore(stored)
        case .removed, .kept, .removalRefused: tally.surprises += 1
        }
    }

    private mutating func noteDelete(_ hit: Bool) {
        if hit { tally.deletes += 1 }
    }

    private mutating func notePerishingDelete(_ hit: Bool) {
        noteDelete(hit)
        if hit { tally.perishing -= 1 }
    }

    private mutating func load(_ key: [UInt8]) {
        guard let value = draw(2) == 0 ? map.load(key) : loadIntoBuffer(key) else {
            tally.loadMisses += 1
            return
        }
        tally.loads += 1
        noteTorn(value)
    }

    /// The value by way of a buffer, as far as it fits there.
    private func loadIntoBuffer(_ key: [UInt8]) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 100)
        var output = buffer.mutableSpan
        guard let length = map.load(key.span, into: &output) else { return nil }
        return length <= buffer.count ? [UInt8](buffer[..<length]) : []
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
    /// Entries with a deadline that were inserted, less those that somebody deleted in time: so many must expire.
    var perishing = 0
    var torn: UInt64 = 0
    /// Outcomes that an operation cannot have.
    var surprises: UInt64 = 0

    static func + (left: Tally, right: Tally) -> Tally {
        Tally(
            inserts: left.inserts + right.inserts, updates: left.updates + right.updates,
            deletes: left.deletes + right.deletes, loads: left.loads + right.loads,
            loadMisses: left.loadMisses + right.loadMisses, perishing: left.perishing + right.perishing,
            torn: left.torn + right.torn,
            surprises: left.surprises + right.surprises)
    }
}
