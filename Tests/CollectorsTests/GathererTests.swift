import Collectors
import Exposition
import Instruments
import InstrumentedMaps
import TestSupport
import Testing

@Suite("Gatherer")
struct GathererTests {
    private struct Working: Collector {
        let name = "working"

        func collect(_ scrape: Scrape) -> [MetricFamily] {
            [MetricFamily("working_maps", .gauge, help: "x", value: .count(UInt64(scrape.maps.maps.count)))]
        }
    }

    private struct Failing: Collector {
        struct Refused: Error {}

        let name = "failing"

        func collect(_ scrape: Scrape) throws -> [MetricFamily] { throw Refused() }
    }

    /// A clock that has moved by `step` at each look, and what was heard of failures.
    private final class Surroundings: Sendable {
        let time = Counter()
        let failures = LockedState<[String]>([])

        func nanoseconds() -> UInt64 {
            time.add(1_500_000_000)
            return time.value
        }
    }

    private let surroundings = Surroundings()

    private func gather(_ collectors: [any Collector]) throws -> CheckedExposition {
        let gatherer = try Gatherer(collectors, nanoseconds: { [surroundings] in surroundings.nanoseconds() }) {
            [surroundings] name, error in
            surroundings.failures.withLock { $0.append("\(name): \(error is Failing.Refused)") }
        }
        let scrape = Scrape(maps: HostSnapshot(maps: []), sizeDeltas: nil)
        return try CheckedExposition(TextFormat.render(gatherer.gather(scrape)))
    }

    @Test("a collector that throws loses only its own families, and is heard of")
    func failureIsContained() throws {
        let page = try gather([Failing(), Working()])
        #expect(
            page.families.map(\.name) == [
                "mapwatch_collector_duration_seconds", "mapwatch_collector_success", "working_maps",
            ])
        #expect(page.value("mapwatch_collector_success", ["collector": "failing"]) == 0)
        #expect(page.value("mapwatch_collector_success", ["collector": "working"]) == 1)
        #expect(page.value("working_maps") == 0)
        let failures = surroundings.failures.withLock { $0 }
        #expect(failures == ["failing: true"])
    }

    @Test("every collector's time is shown, that of one that throws too")
    func durationsAreShown() throws {
        let page = try gather([Failing(), Working()])
        for name in ["failing", "working"] {
            #expect(page.value("mapwatch_collector_duration_seconds", ["collector": name]) == 1.5)
        }
    }

    @Test("all collectors together make one good body")
    func allTogether() throws {
        let page = try gather([
            MapCollector(), ArticleNamesCollector(), HostCollector(), SizeDeltaCollector(), ProcessCollector(),
            BuildCollector(version: "1"),
        ])
        #expect(page.sum("mapwatch_collector_success") == 6)
        #expect(page.family("process_threads") != nil)
    }

    private struct Growing: Collector {
        let name = "growing"
        let from: Int
        let calls = Calls()

        final class Calls: Sendable { let count = Counter() }

        func collect(_ scrape: Scrape) -> [MetricFamily] {
            calls.count.add()
            return calls.count.value < UInt64(from)
                ? [] : [MetricFamily("working_maps_total", .counter, help: "x", value: .count(1))]
        }
    }

    @Test("collectors whose families would collide in some format are refused at registration")
    func collisionIsRefused() {
        let collision = FamilyCollision.taken("working_maps", of: "working_maps_total", by: "working_maps")
        #expect(throws: collision) { try gather([Working(), Growing(from: 1)]) }
        #expect(throws: FamilyCollision.taken("working_maps", of: "working_maps", by: "working_maps")) {
            try gather([Working(), Working2()])
        }
    }

    private struct Working2: Collector {
        let name = "working2"

        func collect(_ scrape: Scrape) -> [MetricFamily] { Working().collect(scrape) }
    }

    @Test("a family that collides later fails its collector and no other")
    func lateCollisionIsContained() throws {
        let page = try gather([Working(), Growing(from: 2)])
        #expect(page.value("mapwatch_collector_success", ["collector": "growing"]) == 0)
        #expect(page.value("mapwatch_collector_success", ["collector": "working"]) == 1)
        #expect(page.family("working_maps_total") == nil)
    }

    @Test("a collector that was not waited for counts as missing, and those asked for each request do not")
    func missingIsShown() throws {
        let gatherer = try Gatherer(
            [Working(), Failing()], perRequest: [BuildCollector(version: "1")],
            nanoseconds: { [surroundings] in surroundings.nanoseconds() }, didFail: { _, _ in })
        let scrape = Scrape(maps: HostSnapshot(maps: []), sizeDeltas: nil)
        #expect(gatherer.sharedCount == 2)
        let families = gatherer.families(of: [nil, gatherer.collectShared(1, scrape)], for: scrape)
        let page = try CheckedExposition(TextFormat.render(families))
        let success = page.samples("mapwatch_collector_success").map { ($0.labels["collector"], $0.value) }
        #expect(success.map(\.0) == ["working", "failing", "build"])
        #expect(success.map(\.1) == [0, 0, 1])
        #expect(page.value("mapwatch_collector_duration_seconds", ["collector": "working"]) == 0)
        #expect(page.family("working_maps") == nil)
        #expect(page.family("mapwatch_build_info") != nil)
    }
}
