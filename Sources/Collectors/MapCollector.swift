import AccidentIndicators
public import Exposition
import InstrumentedMaps

/// The counters of every hosted map, a row a shard.
///
/// All values stem from the scrape's snapshot, so `map_op_total` is the sum of the three values printed beside it.
public struct MapCollector: Collector {
    public let name = "maps"

    public init() {}

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        var families = MapCollector.shardColumns.map { MetricFamily($0.name, $0.type, help: $0.help) }
        var readFamilies = MapCollector.optimisticColumns.map { MetricFamily($0.name, $0.type, help: $0.help) }
        var info = MetricFamily(
            "map_info", .gauge, help: "1; the labels say how a map is built and how finely it is shown.")
        var created = MetricFamily(
            "map_created_timestamp_seconds", .gauge, help: "When a map was created, in seconds since 1970.")
        var refused = MetricFamily("map_op_refused_total", .counter, help: "Operations refused: no writes.")
        for map in scrape.maps.maps {
            let labels = scrape.labels(of: map)
            refused.append(labels.with("reason", "memory"), .count(map.sum(\.refusals)))
            if let conflicts = map.conflicts {
                refused.append(labels.with("reason", "conflict"), .count(conflicts.refusals))
            }
            refused.append(labels.with("reason", "guard"), .count(map.sum(\.guardRefusals)))
            info.append(
                LabelSet([
                    "map_name": map.name.text, "strategy": map.options.strategy.rawValue,
                    "shards": "\(map.options.shards)", "mode": map.mode.rawValue, "detail": map.detail.rawValue,
                    "ttl_seconds": map.options.ttlSeconds.map { "\($0)" } ?? "none",
                    "policy": map.options.strategy == .checked ? map.options.policy.rawValue : "none",
                ]), .count(1))
            created.append(labels.map, .real(map.createdAt))
            let rows = map.rows
            for (index, column) in MapCollector.shardColumns.enumerated() {
                families[index].append(labels.shards, MetricColumn(rows, column.value))
            }
            guard map.options.reads == .optimistic else { continue }
            for (index, column) in MapCollector.optimisticColumns.enumerated() {
                readFamilies[index].append(labels.shards, MetricColumn(rows, column.value))
            }
        }
        return families + readFamilies + [refused, info, created]
    }

    private struct Column: Sendable {
        let name: MetricName
        let type: MetricType
        let help: String
        let value: @Sendable (ShardSample) -> MetricValue
    }

    private static let shardColumns = writeColumns + readColumns + sizeColumns + lockColumns

    private static let writeColumns = [
        Column(
            name: "map_op_total", type: .counter,
            help: SampledHelp.writes
        ) { .count($0.writes) },
        Column(name: "map_op_insert_total", type: .counter, help: SampledHelp.inserts) { .count($0.inserts) },
        Column(name: "map_op_update_total", type: .counter, help: SampledHelp.updates) {
            .count($0.updates)
        },
        Column(name: "map_op_delete_total", type: .counter, help: SampledHelp.deletes) {
            .count($0.deletes)
        },
        Column(name: "map_op_delete_miss_total", type: .counter, help: "Deletes of absent keys.") {
            .count($0.deleteMisses)
        },
        Column(
            name: "map_op_delete_during_iteration_total", type: .counter,
            help: SampledHelp.deletesDuringIteration
        ) { .count($0.deletesDuringIteration) },
    ]

    private static let readColumns = [
        Column(name: "map_op_load_total", type: .counter, help: "Loads that found their key.") { .count($0.loads) },
        Column(name: "map_op_load_miss_total", type: .counter, help: "Loads of absent keys.") {
            .count($0.loadMisses)
        },
        Column(name: "map_op_iterate_total", type: .counter, help: "Iterations begun on a shard.") {
            .count($0.iterations)
        },
    ]

    /// Of maps whose readers take no lock; no other map can move them.
    private static let optimisticColumns = [
        Column(
            name: "map_shard_read_optimistic_total", type: .counter,
            help: "Loads answered without the shard's lock, hits and misses."
        ) { .count($0.optimisticReads) },
        Column(
            name: "map_shard_read_retry_total", type: .counter,
            help: "Looks without the shard's lock that a writer made worthless."
        ) { .count($0.readRetries) },
    ]

    private static let sizeColumns = [
        Column(name: "map_entries", type: .gauge, help: SampledHelp.entries) { .count($0.entries) },
        Column(name: "map_entries_added_total", type: .counter, help: "Entries that ever came.") {
            .count($0.entriesAdded)
        },
        Column(name: "map_entries_removed_total", type: .counter, help: "Entries that ever went.") {
            .count($0.entriesRemoved)
        },
        Column(name: "map_capacity", type: .gauge, help: "Slots of the index.") { .count($0.capacity) },
        Column(
            name: "mem_map_size_bytes", type: .gauge, help: SampledHelp.size
        ) { .count($0.liveBytes) },
        Column(
            name: "map_allocated_bytes", type: .gauge, help: "Bytes that the allocator holds for records and index."
        ) { .count($0.allocatedBytes) },
    ]

    private static let lockColumns = [
        Column(name: "map_shard_lock_acquired_total", type: .counter, help: SampledHelp.lockAcquired) {
            .count($0.lockAcquired)
        },
        Column(
            name: "map_shard_lock_contended_total", type: .counter,
            help: SampledHelp.lockContended
        ) { .count($0.lockContended) },
        Column(
            name: "map_shard_lock_wait_seconds_total", type: .counter,
            help: SampledHelp.lockWait
        ) { .nanoseconds($0.lockWaitNanoseconds) },
        Column(name: "map_shard_lock_waiters", type: .gauge, help: "Threads that wait for the lock now.") {
            .count($0.lockWaiters)
        },
        Column(
            name: "map_shard_lock_wait_max_seconds", type: .gauge,
            help: "Longest wait that ended in the last 120 s, or time since which somebody waits, if that is longer."
        ) { .nanoseconds($0.lockLongestWaitNanoseconds) },
    ]
}

extension MetricColumn {
    /// One number a row. The first says of which kind they all are; another kind is a programmer's mistake and traps.
    init(_ rows: [ShardSample], _ value: (ShardSample) -> MetricValue) {
        func mixed() -> Never { preconditionFailure("a column holds numbers of one kind") }
        switch rows.first.map(value) {
        case .signed: self = .signed(rows.map { if case .signed(let number) = value($0) { number } else { mixed() } })
        case .real: self = .reals(rows.map { if case .real(let number) = value($0) { number } else { mixed() } })
        case .nanoseconds:
            self = .nanoseconds(rows.map { if case .nanoseconds(let number) = value($0) { number } else { mixed() } })
        case .count, nil:
            self = .counts(rows.map { if case .count(let number) = value($0) { number } else { mixed() } })
        }
    }
}
