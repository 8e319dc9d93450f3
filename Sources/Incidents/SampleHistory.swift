import AccidentIndicators
import Exposition
import InstrumentedMaps

// samples.om: the last 120 s of a map as a Prometheus would have it, had it scraped each second.
//
// The ring keeps two kinds of rows, and the file shows both, under the names that /metrics has:
//
//     sums over the map     ten columns        shard_id="all", as /metrics shows a map that has no series by shard
//     rows of the shards    four of the ten    by shard_id, where there are at most 64 of them: else the sums stand for them
//
// The rows of shards are the lower 32 bits of counters. The newest sample is known whole, and each older one is as much
// less as its row says. Bound: 64 shards are 31,000 lines of these and 1,200 others, 3 MB; a map of more shards 200 KB.

/// Renders a map's samples in OpenMetrics with timestamps.
enum SampleHistory {
    /// Shards up to which each has lines of its own.
    static let maximumShards = 64

    static func render(_ evidence: MapEvidence) -> [UInt8] {
        let isByShard =
            evidence.map.detail == .shard && evidence.window.keepsShards
            && evidence.map.shards.count <= maximumShards
        let columns = isByShard ? shardColumns.map { byShard(evidence, $0) } : []
        let sums = (isByShard ? [] : mapColumns) + sumColumns
        return TextFormat.render(history: columns + sums.map { summed(evidence, $0) } + ratios(evidence))
    }

    private struct Column<Row>: Sendable {
        let name: MetricName
        let type: MetricType
        let help: String
        let value: @Sendable (Row) -> MetricValue
    }

    /// What is known of a shard at one sample, back from the newest.
    private struct ShardRow {
        let entries: UInt64
        let writes: UInt64
        let deletes: UInt64
        let waitNanoseconds: UInt64

        init(_ now: ShardGlance, _ newest: ShardSecond, _ then: ShardSecond) {
            entries = UInt64(then.entries)
            writes = now.writes &- UInt64(newest.writes &- then.writes)
            deletes = now.deletes &- UInt64(newest.deletes &- then.deletes)
            let waited = UInt64(newest.wait &- then.wait) &* ShardSecond.waitUnitNanoseconds
            // The row counts in units, so the oldest of a lock that nobody had waited for would be less than nothing.
            waitNanoseconds = now.lockWaitNanoseconds - min(waited, now.lockWaitNanoseconds)
        }
    }

    private static func byShard(_ evidence: MapEvidence, _ column: Column<ShardRow>) -> TimedFamily {
        var family = TimedFamily(column.name, column.type, help: column.help)
        let width = String(evidence.map.shards.count - 1).count
        for (shard, now) in evidence.map.shards.enumerated() {
            guard let newest = evidence.window.shard(shard, age: evidence.newest) else { continue }
            let id = String(shard)
            let labels = LabelSet([
                "map_name": evidence.map.name.text,
                "shard_id": String(repeating: "0", count: width - id.count) + id,
            ])
            family.append(
                labels,
                evidence.ages.compactMap { age in
                    evidence.window.shard(shard, age: age).map {
                        TimedSample(
                            column.value(ShardRow(now, newest, $0)),
                            millisecondsSince1970: evidence.milliseconds(age: age))
                    }
                })
        }
        return family
    }

    private static func summed(_ evidence: MapEvidence, _ column: Column<MapSecond>) -> TimedFamily {
        var family = TimedFamily(column.name, column.type, help: column.help)
        family.append(
            LabelSet(["map_name": evidence.map.name.text, "shard_id": "all"]),
            evidence.ages.map {
                TimedSample(
                    column.value(evidence.window.second($0)), millisecondsSince1970: evidence.milliseconds(age: $0))
            })
        return family
    }

    private static func ratios(_ evidence: MapEvidence) -> [TimedFamily] {
        let window = evidence.window
        return [
            ("map_delete_ratio", SampledHelp.deleteRatio, window.deleteRatio(age:)),
            (
                "map_size_mutation_ratio",
                SampledHelp.sizeMutationRatio,
                window.sizeMutationRatio(age:)
            ),
        ].map { (name: MetricName, help: String, value: (Int) -> Double) in
            var family = TimedFamily(name, .gauge, help: help)
            family.append(
                LabelSet(["map_name": evidence.map.name.text]),
                evidence.ages.map {
                    TimedSample(.real(value($0)), millisecondsSince1970: evidence.milliseconds(age: $0))
                })
            return family
        }
    }

    private static let shardColumns = sharedColumns(
        entries: { (row: ShardRow) in row.entries }, writes: { $0.writes }, deletes: { $0.deletes },
        waitNanoseconds: { $0.waitNanoseconds })

    /// The same of the whole map.
    private static let mapColumns = sharedColumns(
        entries: { (second: MapSecond) in second.entries }, writes: { $0.writes }, deletes: { $0.deletes },
        waitNanoseconds: { $0.lockWaitNanoseconds })

    /// What is kept of a shard and of the map alike.
    private static func sharedColumns<Row>(
        entries: @escaping @Sendable (Row) -> UInt64, writes: @escaping @Sendable (Row) -> UInt64,
        deletes: @escaping @Sendable (Row) -> UInt64, waitNanoseconds: @escaping @Sendable (Row) -> UInt64
    ) -> [Column<Row>] {
        [
            Column(name: "map_entries", type: .gauge, help: SampledHelp.entries) { .count(entries($0)) },
            Column(
                name: "map_op_total", type: .counter,
                help: SampledHelp.writes
            ) { .count(writes($0)) },
            Column(name: "map_op_delete_total", type: .counter, help: SampledHelp.deletes) {
                .count(deletes($0))
            },
            Column(
                name: "map_shard_lock_wait_seconds_total", type: .counter,
                help: SampledHelp.lockWait
            ) { .nanoseconds(waitNanoseconds($0)) },
        ]
    }

    private static let sumColumns: [Column<MapSecond>] = [
        Column(name: "map_op_insert_total", type: .counter, help: SampledHelp.inserts) { .count($0.inserts) },
        Column(name: "map_op_update_total", type: .counter, help: SampledHelp.updates) {
            .count($0.updates)
        },
        Column(
            name: "map_op_delete_during_iteration_total", type: .counter,
            help: SampledHelp.deletesDuringIteration
        ) { .count($0.deletesDuringIteration) },
        Column(
            name: "mem_map_size_bytes", type: .gauge, help: SampledHelp.size
        ) { .count($0.liveBytes) },
        Column(name: "map_shard_lock_acquired_total", type: .counter, help: SampledHelp.lockAcquired) {
            .count($0.lockAcquired)
        },
        Column(
            name: "map_shard_lock_contended_total", type: .counter,
            help: SampledHelp.lockContended
        ) { .count($0.lockContended) },
    ]
}
