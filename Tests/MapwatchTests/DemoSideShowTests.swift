import InstrumentedMaps
import TestSupport
import Testing

@testable import mapwatch

/// Each mishap, past the line of the alert that it is there for; the seconds are those of the rotation.
@Suite("Beside the accidents of a demo")
struct DemoSideShowTests {
    private let host = MapHost { 0 }

    init() throws {
        for map in try DemoSideShow.maps() + [(MapName("sessions"), MapOptions())] {
            _ = try host.create(map.name, map.options)
        }
    }

    private func map(_ name: String) -> MapSnapshot {
        guard let map = host.maps.first(where: { $0.name.text == name }) else { preconditionFailure("no map \(name)") }
        return host.snapshot(of: map)
    }

    @Test(
        "a crowd in the ledger contends for one shard, and a price list is rewritten under its reader, until both end")
    func rushes() {
        var show = DemoSideShow(host: host)
        show.play(second: 130)
        #expect(
            eventually {
                let ledger = map("ledger")
                let hottest = ledger.shards.map(\.lockContended).max() ?? 0
                return hottest > 50 && Double(hottest) > 0.31 * Double(ledger.sum(\.lockAcquired))
            })
        #expect(
            eventually {
                let prices = map("prices")
                return prices.sum(\.readRetries) > 50
                    && Double(prices.sum(\.readRetries)) > 0.127 * Double(prices.sum(\.optimisticReads))
            })
        show.play(second: 490)
        #expect(eventually { map("ledger").sum(\.lockWaiters) == 0 })
    }

    @Test("an update that does not come back leaves its shard standing with a waiter, and goes in the end")
    func stall() {
        var show = DemoSideShow(host: host)
        show.play(second: 680)
        #expect(eventually { map("ledger").sum(\.lockWaiters) == 1 })
        let standing = map("ledger").sum(\.lockAcquired)
        show.play(second: 681)
        #expect(map("ledger").sum(\.lockAcquired) == standing, "nobody else comes near it")
        show.play(second: 780)
        #expect(eventually { map("ledger").sum(\.lockWaiters) == 0 })
        #expect(map("ledger").sum(\.lockAcquired) > standing)
    }

    @Test(
        "an iterator is left standing and ended, a stranger's map is written to, a bounded map refuses and is emptied")
    func smallOnes() {
        // An iterator over nothing is at its end at once.
        host.map(map("sessions").name)?.store([0x61], [0x62])
        var show = DemoSideShow(host: host)
        show.play(second: 200)
        #expect(map("sessions").openIterators == 1)
        show.play(second: 290)
        #expect(map("sessions").openIterators == 0)
        show.play(second: 440)
        #expect(host.snapshot().undeclaredWrites == 1)
        for second in 560..<570 { show.play(second: second) }
        #expect(map("thumbnails").sum(\.refusals) > 0)
        show.play(second: 600)
        #expect(map("thumbnails").sum(\.entries) == 0)
    }
}
