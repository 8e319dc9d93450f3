import Instruments
import TestSupport
import Testing

@testable import InstrumentedMaps

/// A table that is written with readers looking on, and one who looks.
private final class Published {
    var table: ByteTable
    let view: PublishedTable
    let epochs: ReaderEpochs

    init(
        budget: MemoryBudget = MemoryBudget(), epochs: ReaderEpochs = .shared, clock: ExpiryClock = .system
    ) {
        table = ByteTable(budget: budget, clock: clock)
        view = PublishedTable.make(budget: budget, epochs: epochs, clock: clock)
        self.epochs = epochs
    }

    deinit { view.destroy() }

    var writes: PublishedWrites { PublishedWrites(table: view) }

    func store(
        _ key: [UInt8], _ value: [UInt8], _ hash: KeyHash? = nil, for seconds: Int? = nil
    ) -> StoreOutcome {
        table.store(key.span, hash ?? KeyHash(key.span), value: value.span, for: seconds, writes)
    }

    func remove(_ key: [UInt8], _ hash: KeyHash? = nil) -> Bool {
        table.remove(key.span, hash ?? KeyHash(key.span), writes)
    }

    /// What a reader without the lock finds, who must not be disturbed.
    func look(_ key: [UInt8], _ hash: KeyHash? = nil) -> [UInt8]? {
        guard let slot = epochs.enter() else {
            Issue.record("no slot for a reader")
            return nil
        }
        defer { slot.leave() }
        switch unsafe view.look(key.span, hash ?? KeyHash(key.span), { unsafe $0.value(in: $1) }) {
        case .found(let value): return value
        case .absent: return nil
        case .torn:
            Issue.record("torn, though nobody writes")
            return nil
        }
    }

    var allocatedBytes: Int { Int(table.allocatedBytes) + view.retiredBytes }
}

@Suite("PublishedTable")
struct PublishedTableTests {
    private static func key(_ number: Int) -> [UInt8] { Array("key-\(number)".utf8) }

    @Test("a reader finds keys and values of every length, whole, wherever in a word they begin and end")
    func lengths() {
        let published = Published()
        for keyCount in Array(0...40) + [1_000, 65_535] {
            let key = (0..<keyCount).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) }
            for valueCount in Array(0...20) + [100, 2_000, 3_000] {
                let value = (0..<valueCount).map { UInt8(truncatingIfNeeded: $0 &* 5 &+ 3) }
                #expect(published.store(key, value) != .refused)
                #expect(published.look(key) == value, "a key of \(keyCount) and a value of \(valueCount)")
                let underLock = published.table.find(key.span, KeyHash(key.span))
                #expect(underLock == value, "a key of \(keyCount) and a value of \(valueCount)")
            }
        }
    }

    @Test("a reader finds an entry with a deadline, of every length, until its time is over")
    func deadlines() {
        let clock = ManualClock()
        let published = Published(clock: ExpiryClock(nanoseconds: clock.nanoseconds))
        let keys = (Array(0...20) + [1_000]).map { [UInt8](repeating: 7, count: $0) }
        for round in 1...3 {
            for (number, key) in keys.enumerated() {
                let value = [UInt8](repeating: UInt8(round), count: number * 9)
                #expect(published.store(key, value, for: number % 2 == 0 ? round * 10 : nil) != .refused)
                #expect(published.look(key) == value)
            }
            clock.advance(milliseconds: round * 10_000 - 1)
            #expect(keys.allSatisfy { published.look($0) != nil })
            clock.advance(milliseconds: 1)
            let writes = published.writes
            if round == 2 { while published.table.maintain(budget: 16, writes) > 0 {} }
            for (number, key) in keys.enumerated() {
                #expect((published.look(key) == nil) == (number % 2 == 0), "a key of \(key.count)")
            }
        }
    }

    @Test("keys of one place are told apart by each of their bytes", arguments: [1, 3, 4, 5, 8, 11, 12, 13, 20, 21])
    func keysOfOnePlace(count: Int) {
        let published = Published()
        let hash = KeyHash(bits: 7)
        let keys = (0...count).map { different in (0..<count).map { UInt8($0 == different ? 9 : 1) } }
        for (number, key) in keys.enumerated() where number < 3 || number > count - 3 {
            // A value that begins as the key might go on.
            #expect(published.store(key, [1, 1, UInt8(number)], hash) == .inserted)
            #expect(published.look(key, hash) == [1, 1, UInt8(number)])
        }
        #expect(published.look([UInt8](repeating: 2, count: count), hash) == nil)
        #expect(published.look([UInt8](repeating: 1, count: count + 1), hash) == nil)
        #expect(published.look([UInt8](repeating: 1, count: count - 1), hash) == nil)
    }

    @Test("through growth, shrinking and compaction a reader sees what a dictionary holds", arguments: [40, 3_000])
    func agreesWithDictionary(poolSize: Int) {
        let budget = MemoryBudget()
        do {
            let published = Published(budget: budget)
            var expected: [[UInt8]: [UInt8]] = [:]
            var generator = SeededGenerator(seed: TestSeed.value)
            for step in 0..<40_000 {
                let key = Self.key(Int.random(in: 0..<poolSize, using: &generator))
                if Int.random(in: 0..<1_000, using: &generator) < (step / 8_000 % 2 == 0 ? 800 : 150) {
                    let count = step % 500 == 0 ? 5_000 : step % 90
                    let value = [UInt8](repeating: UInt8(truncatingIfNeeded: step), count: count)
                    let isNew = published.store(key, value) == .inserted
                    #expect(isNew == (expected.updateValue(value, forKey: key) == nil), "\(TestSeed.note)")
                } else {
                    let wasThere = published.remove(key)
                    #expect(wasThere == (expected.removeValue(forKey: key) != nil), "\(TestSeed.note)")
                }
                let writes = published.writes
                if step % 3 == 0 { _ = published.table.maintain(budget: step % 64, writes) }
                let probe = Self.key(Int.random(in: 0..<poolSize, using: &generator))
                let (taken, held) = (budget.bytesUsed, published.allocatedBytes)
                guard published.look(probe) == expected[probe], published.look(key) == expected[key], taken == held
                else {
                    Issue.record("step \(step): \(probe), \(taken) taken, \(held) held, \(TestSeed.note)")
                    return
                }
            }
        }
        #expect(budget.bytesUsed == 0, "the table is gone")
    }

    @Test("a tail that is lengthened and long runs are seen by readers")
    func longRuns() {
        let published = Published()
        let keys = (0..<300).map { Self.key($0) }
        // All at the last place: the tail takes them, and grows.
        let hash = KeyHash(bits: 0xffff_ffff)
        for key in keys { #expect(published.store(key, key, hash) == .inserted) }
        for key in keys { #expect(published.look(key, hash) == key) }
        for key in keys.dropFirst(10) { #expect(published.remove(key, hash)) }
        for key in keys.prefix(10) { #expect(published.look(key, hash) == key) }
        for key in keys.dropFirst(10) { #expect(published.look(key, hash) == nil) }
    }

    @Test("during a change a look is torn, and so is one that a change has overtaken")
    func changesAreSeen() {
        let published = Published()
        #expect(published.store([1], [1]) == .inserted)
        published.view.beginChange()
        let slot = published.epochs.enter()
        let look = unsafe published.view.look([1].span, KeyHash([1].span)) { unsafe $0.value(in: $1) }
        if case .torn = look {} else { Issue.record("a look in a change gave \(look)") }
        slot?.leave()
    }

    @Test("what is let go while a reader is inside stays in the account, and goes when it has left")
    func retiredMemoryIsAccounted() {
        let epochs = ReaderEpochs(slots: 4)
        let budget = MemoryBudget()
        do {
            let published = Published(budget: budget, epochs: epochs)
            for number in 0..<2_000 { _ = published.store(Self.key(number), [UInt8](repeating: 1, count: 100)) }
            _ = published.store([1], [UInt8](repeating: 1, count: 100_000))
            let full = budget.bytesUsed
            let (entered, leaving) = (Flag(), Flag())
            let reader = ThreadGroup()
            reader.start {
                let slot = epochs.enter()
                entered.raise()
                _ = eventually { leaving.isRaised }
                slot?.leave()
            }
            #expect(eventually { entered.isRaised })
            for number in 0..<2_000 { #expect(published.remove(Self.key(number))) }
            #expect(published.remove([1]))
            #expect(budget.bytesUsed >= full, "the reader holds it all")
            #expect(budget.bytesUsed == published.allocatedBytes)
            #expect(published.view.retiredBytes > 300_000)
            published.view.drain()
            #expect(published.view.retiredBytes > 300_000)
            leaving.raise()
            reader.join()
            published.view.drain()
            #expect(published.view.retiredBytes == 0)
            #expect(budget.bytesUsed < 20_000)
            #expect(budget.bytesUsed == published.allocatedBytes)
        }
        #expect(budget.bytesUsed == 0)
        epochs.destroy()
    }
}
