import Collectors
import Exposition
import InstrumentedMaps
import TestSupport
import Testing

@Suite("MapCollector")
struct MapCollectorTests {
    private let host = MapHost { 1_700_000_000.25 }
    private let orders: MapName

    init() throws { orders = try MapName("orders") }

    private func page() throws -> CheckedExposition {
        let families = MapCollector().collect(Scrape(maps: host.snapshot(), sizeDeltas: nil))
        return try CheckedExposition(TextFormat.render(families))
    }

    private static let shardFamilies = [
        ("map_op_total", "counter"), ("map_op_insert_total", "counter"), ("map_op_update_total", "counter"),
        ("map_op_delete_total", "counter"), ("map_op_delete_miss_total", "counter"),
        ("map_op_delete_during_iteration_total", "counter"), ("map_op_load_total", "counter"),
        ("map_op_load_miss_total", "counter"), ("map_op_iterate_total", "counter"), ("map_entries", "gauge"),
        ("map_entries_added_total", "counter"), ("map_entries_removed_total", "counter"), ("map_capacity", "gauge"),
        ("mem_map_size_bytes", "gauge"), ("map_allocated_bytes", "gauge"),
        ("map_shard_lock_acquired_total", "counter"), ("map_shard_lock_contended_total", "counter"),
        ("map_shard_lock_wait_seconds_total", "counter"), ("map_shard_lock_waiters", "gauge"),
        ("map_shard_lock_wait_max_seconds", "gauge"),
    ]

    @Test(
        "every series of a shard is there at 0 from the map's creation, with its type", arguments: shardFamilies)
    func startsAtZero(name: String, type: String) throws {
        _ = try host.create(orders, MapOptions(shards: 16))
        let page = try page()
        #expect(page.family(name)?.type == type)
        #expect(page.samples(name).count == 16)
        for shard in 0..<16 {
            let id = shard < 10 ? "0\(shard)" : "\(shard)"
            #expect(page.value(name, ["map_name": "orders", "shard_id": id]) == 0)
        }
    }

    @Test("a store over the map's bound is shown as refused, and as no write")
    func showsRefusals() throws {
        _ = try host.create(orders, MapOptions(shards: 1, maximumBytes: 1 << 16))
        #expect(try page().value("map_op_refused_total", ["map_name": "orders", "reason": "memory"]) == 0)
        try host.mapForWriting(orders).store([1], [UInt8](repeating: 0, count: 1 << 17))
        let page = try page()
        #expect(page.value("map_op_refused_total", ["map_name": "orders", "reason": "memory"]) == 1)
        #expect(page.sum("map_op_total") == 0)
    }

    @Test("the families are exactly these, and none without a map")
    func familiesAreKnown() throws {
        #expect(throws: ExpositionProblem(line: 0, .emptyBody)) { try page() }
        _ = try host.create(orders, MapOptions(strategy: .rwlock))
        let known = Self.shardFamilies.map(\.0) + ["map_info", "map_created_timestamp_seconds", "map_op_refused_total"]
        #expect(try page().families.map(\.name) == known.sorted())
    }

    @Test(
        "shard ids are padded to the width of the highest",
        arguments: [(1, "0", "0"), (10, "0", "9"), (11, "00", "10"), (256, "000", "255"), (1_024, "0000", "1023")])
    func shardIdsArePadded(shards: Int, first: String, last: String) throws {
        _ = try host.create(orders, MapOptions(shards: shards))
        let ids = try page().samples("map_entries").compactMap { $0.labels["shard_id"] }
        #expect(ids.count == shards)
        #expect(ids.first == first)
        #expect(ids.last == last)
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == shards)
    }

    @Test("map_op_total is the sum of the three values beside it, in each shard, and reads are no writes")
    func opTotalIsTheSum() throws {
        _ = try host.create(orders, MapOptions(shards: 3))
        let map = try host.mapForWriting(orders)
        for number in 0..<90 { map.store([UInt8(number)], []) }
        for number in 0..<40 { map.store([UInt8(number)], [1]) }
        for number in 0..<25 { map.delete([UInt8(number)]) }
        for number in 0..<5 { map.delete([UInt8(number)]) }
        for number in 0..<30 { _ = map.load([UInt8(number)]) }
        _ = try map.iterate(.snapshot, prefix: [], maximumBytes: 1 << 20)
        let page = try page()
        for shard in ["0", "1", "2"] {
            let labels = ["map_name": "orders", "shard_id": shard]
            let parts = ["insert", "update", "delete"].compactMap { page.value("map_op_\($0)_total", labels) }
            #expect(parts.count == 3)
            #expect(page.value("map_op_total", labels) == parts.reduce(0, +))
            #expect(page.value("map_op_iterate_total", labels) == 1)
        }
        let sums = [
            ("map_op_total", 155.0), ("map_op_insert_total", 90), ("map_op_update_total", 40),
            ("map_op_delete_total", 25), ("map_op_delete_miss_total", 5), ("map_op_load_total", 5),
            ("map_op_load_miss_total", 25), ("map_entries", 65), ("map_entries_added_total", 90),
            ("map_entries_removed_total", 25),
        ]
        for (name, sum) in sums { #expect(page.sum(name, ["map_name": "orders"]) == sum, "\(name)") }
    }

    @Test("the articles' words stand to the letter")
    func helpOfTheArticles() throws {
        _ = try host.create(orders, MapOptions())
        let page = try page()
        #expect(
            page.family("map_op_total")?.help
                == "Completed writes (insert, update, delete); reads are not included.")
        #expect(
            page.family("mem_map_size_bytes")?.help == "Current approximate memory footprint of managed map")
    }

    @Test("each map says how it is built and since when")
    func infoAndCreation() throws {
        _ = try host.create(orders, MapOptions(shards: 7))
        _ = try host.create(MapName("a-lock"), MapOptions(strategy: .rwlock))
        let page = try page()
        let base = ["mode": "normal", "detail": "shard", "ttl_seconds": "none", "policy": "none"]
        let sharded = ["map_name": "orders", "strategy": "sharded", "shards": "7"]
        let rwlock = ["map_name": "a-lock", "strategy": "rwlock", "shards": "1"]
        #expect(page.value("map_info", base.merging(sharded) { $1 }) == 1)
        #expect(page.value("map_info", base.merging(rwlock) { $1 }) == 1)
        #expect(page.value("map_created_timestamp_seconds", ["map_name": "orders"]) == 1_700_000_000.25)
        #expect(page.value("map_entries", ["map_name": "a-lock", "shard_id": "0"]) == 0)
    }

    @Test("reads without the lock are counted for the maps that have them, and for no others")
    func optimisticReads() throws {
        _ = try host.create(orders, MapOptions(shards: 1, reads: .optimistic))
        _ = try host.create(MapName("locked"), MapOptions(shards: 1))
        for name in try [orders, MapName("locked")] {
            let map = try host.mapForWriting(name)
            map.store([1], [1])
            for key: UInt8 in [1, 1, 2] { _ = map.load([key]) }
        }
        let page = try page()
        let labels = ["map_name": "orders", "shard_id": "0"]
        #expect(page.value("map_shard_read_optimistic_total", labels) == 3)
        #expect(page.value("map_shard_read_retry_total", labels) == 0)
        #expect(page.value("map_op_load_total", labels) == 2)
        #expect(page.value("map_op_load_miss_total", labels) == 1)
        #expect(page.value("map_shard_lock_acquired_total", labels) == 1)
        #expect(page.family("map_shard_read_optimistic_total")?.samples.count == 1)
        #expect(page.family("map_shard_read_retry_total")?.samples.count == 1)
    }

    @Test("a dropped map takes its series along")
    func dropRemovesSeries() throws {
        _ = try host.create(orders, MapOptions())
        _ = try host.create(MapName("other"), MapOptions())
        #expect(host.drop(orders))
        let page = try page()
        let names = Set(page.families.flatMap(\.samples).compactMap { $0.labels["map_name"] })
        #expect(names == ["other"])
    }
}
