import Instruments
import TestSupport
import Testing

@testable import InstrumentedMaps

/// The table alone, under a clock that stands still until it is told to go on.
@Suite("Expiry of a table")
struct ExpiryTableTests {
    /// A value, and when it goes, in milliseconds; nil for never.
    private struct Expected {
        var value: [UInt8]
        var deadline: Int?
    }

    @Test(
        "entries with and without a deadline are as a dictionary has them, whatever moves between",
        arguments: [(keys: 40, longest: 3), (keys: 2_000, longest: 500), (keys: 2_000, longest: 2_000_000)])
    func modelCheck(keys: Int, longest: Int) {
        let clock = ManualClock()
        let budget = MemoryBudget()
        var table = ByteTable(budget: budget, clock: ExpiryClock(nanoseconds: clock.nanoseconds))
        var expected: [[UInt8]: Expected] = [:]
        var generator = SeededGenerator(seed: TestSeed.value)
        var (inserts, deletes, now) = (0, 0, 0)
        for step in 0..<40_000 {
            // A jump of any size, from within a tick to over many slots of the wheel.
            let jump = Int.random(
                in: 0..<max(1, longest * 10 >> Int.random(in: 0...20, using: &generator)), using: &generator)
            clock.advance(milliseconds: jump)
            now += jump
            let key = key(Int.random(in: 0..<keys, using: &generator))
            let hash = KeyHash(key.span)
            let there = expected[key].flatMap { ($0.deadline ?? .max) > now ? $0 : nil }
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5:
                let value = [UInt8](
                    repeating: UInt8(truncatingIfNeeded: step), count: step % 997 == 0 ? 3_000 : step % 70)
                let seconds = Bool.random(using: &generator) ? Int.random(in: 1...longest, using: &generator) : nil
                let outcome = table.store(key.span, hash, value: value.span, for: seconds)
                #expect(outcome == (there == nil ? .inserted : .updated), "step \(step), \(TestSeed.note)")
                if outcome == .inserted { inserts += 1 }
                // At the end of the tick, a tenth of a second, in which the time is over.
                expected[key] = Expected(
                    value: value, deadline: seconds.map { (now + $0 * 1_000 + 99) / 100 * 100 })
            case 5, 6:
                let removed = table.remove(key.span, hash)
                #expect(removed == (there != nil), "step \(step), \(TestSeed.note)")
                if removed { deletes += 1 }
                expected[key] = nil
            case 7: _ = table.maintain(budget: Int.random(in: 1...64, using: &generator))
            default: break
            }
            let probe = InstrumentedMapsTests.key(Int.random(in: 0..<keys, using: &generator))
            let found = table.find(probe.span, KeyHash(probe.span))
            let wanted = expected[probe]
            let isLive = wanted.map { ($0.deadline ?? .max) > now } ?? false
            guard found == (isLive ? wanted?.value : nil) else {
                Issue.record("step \(step): \(probe) differs, \(TestSeed.note)")
                return
            }
            let count = table.count
            guard count == inserts - deletes - Int(table.expiry?.expirations.value ?? 0),
                UInt64(budget.bytesUsed) == table.allocatedBytes
            else {
                Issue.record("step \(step): \(count) entries, \(inserts) came, \(deletes) went, \(TestSeed.note)")
                return
            }
        }
        expectLive(table, expected, now)
        clock.advance(seconds: longest + 1)
        while table.maintain(budget: 64) > 0 {}
        let (count, hasDeadlines) = (table.count, table.hasDeadlines)
        #expect(count == expected.values.count { $0.deadline == nil }, "\(TestSeed.note)")
        #expect(!hasDeadlines)
    }

    /// A walk shows all that live, and nothing else.
    private func expectLive(_ table: borrowing ByteTable, _ expected: [[UInt8]: Expected], _ now: Int) {
        var seen: Set<[UInt8]> = []
        table.forEach { key, value in
            let key = [UInt8](copying: key)
            seen.insert(key)
            #expect(expected[key]?.value == [UInt8](copying: value))
            #expect((expected[key]?.deadline ?? .max) > now)
        }
        #expect(expected.allSatisfy { ($0.value.deadline ?? .max) <= now || seen.contains($0.key) }, "\(TestSeed.note)")
    }
}
