import Collectors
import Exposition
import InstrumentedMaps
import Instruments
import TestSupport
import Testing

@Suite("LatencyCollector")
struct LatencyCollectorTests {
    private let host = MapHost { 0 }

    private func page() throws -> CheckedExposition {
        let families = LatencyCollector().collect(Scrape(maps: host.snapshot(), sizeDeltas: nil))
        return try CheckedExposition(TextFormat.render(families))
    }

    @Test("every histogram is there at 0 from the map's creation")
    func startsAtZero() throws {
        _ = try host.create(MapName("orders"), MapOptions(shards: 16))
        let page = try page()
        let names = [
            "map_lock_wait_seconds", "map_op_duration_seconds", "map_resize_seconds_total", "map_resize_total",
        ]
        #expect(page.families.map(\.name) == names)
        #expect(page.value("map_resize_total", ["map_name": "orders"]) == 0)
        #expect(page.value("map_resize_seconds_total", ["map_name": "orders"]) == 0)
        for operation in ["load", "store", "delete"] {
            let labels = ["map_name": "orders", "op": operation]
            #expect(page.value("map_op_duration_seconds_count", labels) == 0)
            #expect(page.value("map_op_duration_seconds_sum", labels) == 0)
            #expect(page.value("map_op_duration_seconds_bucket", labels.merging(["le": "1e-07"]) { $1 }) == 0)
        }
        #expect(page.family("map_op_duration_seconds")?.help.hasSuffix("sampled: for quantiles, not rates.") == true)
        #expect(page.value("map_lock_wait_seconds_count", ["map_name": "orders"]) == 0)
        #expect(page.value("map_lock_wait_seconds_sum", ["map_name": "orders"]) == 0)
        #expect(page.value("map_lock_wait_seconds_bucket", ["map_name": "orders", "le": "4.0"]) == 0)
        #expect(page.value("map_lock_wait_seconds_bucket", ["map_name": "orders", "le": "+Inf"]) == 0)
    }

    @Test("of the operations that fell into a bucket the last one shows its shard")
    func operationExemplars() throws {
        let name = try MapName("orders")
        _ = try host.create(name, MapOptions(shards: 16))
        let map = try host.mapForWriting(name)
        let key = Array("one key".utf8)
        let shard = map.shard(of: key.span)
        // One in 64 is timed, at distances of up to 128.
        for _ in 0..<2_000 {
            map.store(key, [1])
            _ = map.load(key)
            _ = map.delete(key)
            map.update(key) { $0 = [2] }
        }
        var batch = MapBatch()
        for _ in 0..<300 { batch.load(key.span) }
        map.perform(&batch)
        let families = LatencyCollector().collect(Scrape(maps: host.snapshot(), sizeDeltas: nil))
        let openMetrics = String(decoding: TextFormat.render(families, as: .openMetrics), as: UTF8.self)
        let bucket =
            #/map_op_duration_seconds_bucket\{map_name="orders",op="(\w+)",le="[^"]+"\} \d+ # \{shard_id="(\d+)"\} /#
        let found = openMetrics.matches(of: bucket)
        #expect(Set(found.map { String($0.1) }) == ["load", "store", "delete"])
        #expect(Set(found.map { Int($0.2) }) == [shard])
    }

    @Test("the waits' histogram agrees with the shards' wait counters to the nanosecond, while threads contend")
    func sumsAgree() throws {
        let name = try MapName("hot")
        _ = try host.create(name, MapOptions(shards: 2))
        let map = try host.mapForWriting(name)
        let group = ThreadGroup()
        let done = Flag()
        for thread in 0..<6 {
            group.start {
                var number: UInt8 = 0
                while !done.isRaised {
                    map.update([UInt8(thread), number]) { $0 = [UInt8](repeating: 7, count: 500) }
                    number &+= 1
                }
            }
        }
        #expect(eventually { map.snapshot().lockWaits.count > 20 })
        for _ in 0..<50 {
            let snapshot = host.snapshot()
            let wanted = snapshot.maps.map { $0.sum(\.lockWaitNanoseconds) }
            #expect(snapshot.maps.map(\.lockWaits.sumNanoseconds) == wanted)
        }
        done.raise()
        group.join()
        let last = map.snapshot()
        #expect(last.lockWaits.count == last.sum(\.lockContended))
        #expect(last.lockWaits.sumNanoseconds == last.sum(\.lockWaitNanoseconds))
        let glance = try #require(host.glances(now: MonotonicClock.nanoseconds()).first)
        #expect(glance.shards == map.snapshot().shards.map(ShardGlance.init) && glance.detail == .shard)
        #expect(last.shards.map(\.lockLongestWaitNanoseconds).max() ?? 0 > 0)
        let families = LatencyCollector().collect(Scrape(maps: host.snapshot(), sizeDeltas: nil))
        let openMetrics = String(decoding: TextFormat.render(families, as: .openMetrics), as: UTF8.self)
        let exemplar = #/map_lock_wait_seconds_bucket\{map_name="hot",le="[^"]+"\} \d+ # \{shard_id="[01]"\} /#
        #expect(openMetrics.contains(exemplar))
        let page = try page()
        let seconds = try #require(page.value("map_lock_wait_seconds_sum", ["map_name": "hot"]))
        #expect(abs(seconds - Double(last.sum(\.lockWaitNanoseconds)) / 1e9) < 1e-9)
    }
}
