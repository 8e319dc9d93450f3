import InstrumentedMaps
import Testing

@testable import Incidents

@Suite("The pace of bundles")
struct IncidentLedgerTests {
    private let second: UInt64 = 1_000_000_000
    private let orders: MapName
    private let rules: MapName

    init() throws {
        orders = try MapName("orders")
        rules = try MapName("rules")
    }

    private func map(_ incarnation: UInt64, _ name: MapName) throws -> MapGlance {
        MapGlance(
            MapSnapshot(
                incarnation: incarnation, name: name, options: try MapOptions(shards: 1), createdAt: 0,
                shards: [ShardSample()]))
    }

    @Test("a map has one bundle a minute, whatever its incidents are, and all of them are counted")
    func pace() {
        var ledger = IncidentLedger()
        let begin = 100 * second
        let verdict1 = ledger.note(orders, incarnation: 1, .conflict, atNanoseconds: begin)
        #expect(verdict1 == .bundle)
        let verdict2 = ledger.note(orders, incarnation: 1, .signature, atNanoseconds: begin + 59 * second)
        #expect(verdict2 == .tooSoon(second))
        #expect(ledger.wait(orders, atNanoseconds: begin + 59 * second) == second)
        let verdict3 = ledger.note(rules, incarnation: 2, .conflict, atNanoseconds: begin + 59 * second)
        #expect(verdict3 == .bundle)
        let verdict4 = ledger.note(orders, incarnation: 1, .conflict, atNanoseconds: begin + 60 * second)
        #expect(verdict4 == .bundle)
        #expect(ledger.count(orders, incarnation: 1, .conflict) == 2)
        #expect(ledger.count(orders, incarnation: 1, .signature) == 1)
        #expect(ledger.count(orders, incarnation: 1, .manual) == 0)
    }

    @Test("an instant from before the last bundle is too soon too")
    func earlier() {
        var ledger = IncidentLedger()
        _ = ledger.note(orders, incarnation: 1, .conflict, atNanoseconds: 100 * second)
        let verdict5 = ledger.note(orders, incarnation: 1, .signature, atNanoseconds: 99 * second)
        #expect(verdict5 == .tooSoon(60 * second))
    }

    @Test("all maps together have 64 bundles at once, and then one a second")
    func burst() throws {
        var ledger = IncidentLedger()
        func note(_ number: Int, _ now: UInt64) throws -> Bool {
            ledger.note(try MapName("m\(number)"), incarnation: UInt64(number), .manual, atNanoseconds: now) == .bundle
        }
        let taken = try (1...200).filter { try note($0, 1000 * second) }
        #expect(taken == Array(1...64))
        let next = try (201...210).filter { try note($0, 1001 * second) }
        #expect(next == [201])
        let later = try (300...400).filter { try note($0, 2000 * second) }
        #expect(later.count == 64)
    }

    @Test("a map that is created again starts at 0, and is not hurried by it")
    func incarnations() throws {
        var ledger = IncidentLedger()
        _ = ledger.note(orders, incarnation: 1, .conflict, atNanoseconds: 100 * second)
        ledger.keep(only: [try map(2, orders)], atNanoseconds: 101 * second)
        #expect(ledger.count(orders, incarnation: 2, .conflict) == 0)
        let verdict6 = ledger.note(orders, incarnation: 2, .conflict, atNanoseconds: 102 * second)
        #expect(verdict6 == .tooSoon(58 * second))
        #expect(ledger.count(orders, incarnation: 2, .conflict) == 1)
        #expect(ledger.count(orders, incarnation: 1, .conflict) == 0)
    }

    @Test("what a run before had is counted for the map's first life, and a map that came since a sample is kept")
    func previousRun() throws {
        var ledger = IncidentLedger()
        ledger.notePreviousRun(orders)
        #expect(ledger.count(orders, incarnation: 7, .previousRun) == 1)
        let verdict7 = ledger.note(orders, incarnation: 7, .conflict, atNanoseconds: 0)
        #expect(verdict7 == .bundle)
        _ = ledger.note(rules, incarnation: 8, .conflict, atNanoseconds: 0)
        ledger.keep(only: [try map(7, orders)], atNanoseconds: 1000 * second)
        #expect(ledger.count(orders, incarnation: 7, .previousRun) == 1)
        #expect(ledger.count(rules, incarnation: 8, .conflict) == 1)
        ledger.keep(only: [try map(9, rules)], atNanoseconds: 1000 * second)
        #expect(ledger.count(orders, incarnation: 7, .conflict) == 0)
        #expect(ledger.count(rules, incarnation: 8, .conflict) == 0)
    }

    @Test("the first incident of a map within an hour of the clock is told from the others")
    func hours() {
        var ledger = IncidentLedger()
        let asked: [(MapName?, Double)] = [
            (orders, 3600), (orders, 7199), (rules, 7199), (nil, 7199), (orders, 7200),
        ]
        let answers = asked.map { ledger.isFirstOfHour($0.0, seconds: $0.1) }
        #expect(answers == [true, false, true, true, true])
    }
}
