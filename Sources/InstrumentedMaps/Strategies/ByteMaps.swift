import Instruments

// The maps of raw bytes that can be asked for, one class each: nothing in them but what they are made of.
//
//     strategy   reads        guard            table
//     sharded    locked       ExclusiveGuard   ByteTable
//     sharded    optimistic   ExclusiveGuard   PublishedByteTable
//     rwlock     locked       SharedGuard      ByteTable
//     checked    locked       CheckedGuard     ByteTable

/// A map that is made of options.
protocol StrategyMap: InstrumentedMap {
    init(
        name: MapName, options: MapOptions, incarnation: UInt64, createdAt: Double, budget: MemoryBudget,
        clock: ExpiryClock, watch: MapWatch?)
}

// Safety: sendable as `ByteMap` is; none adds a property.
final class ShardedByteMap: ByteMap<ExclusiveGuard, ByteTable, NoRecords>, @unchecked Sendable, StrategyMap {}

final class OptimisticByteMap: ByteMap<ExclusiveGuard, PublishedByteTable, NoRecords>, @unchecked Sendable, StrategyMap
{}

final class ReadWriteByteMap: ByteMap<SharedGuard, ByteTable, NoRecords>, @unchecked Sendable, StrategyMap {}

final class CheckedByteMap: ByteMap<CheckedGuard, ByteTable, NoRecords>, @unchecked Sendable, StrategyMap {}

// The same with records.
final class RecordedShardedByteMap: ByteMap<ExclusiveGuard, ByteTable, RingRecords>, @unchecked Sendable, StrategyMap {}

final class RecordedOptimisticByteMap: ByteMap<ExclusiveGuard, PublishedByteTable, RingRecords>, @unchecked Sendable,
    StrategyMap
{}

final class RecordedReadWriteByteMap: ByteMap<SharedGuard, ByteTable, RingRecords>, @unchecked Sendable, StrategyMap {}

extension MapOptions {
    /// The class of the maps with these options, which `watch` watches.
    func mapType(_ watch: MapWatch?) -> any StrategyMap.Type {
        let isRecorded = watch?.ringsAlone != nil
        return switch (strategy, reads) {
        case (.sharded, .locked): isRecorded ? RecordedShardedByteMap.self : ShardedByteMap.self
        case (.sharded, .optimistic): isRecorded ? RecordedOptimisticByteMap.self : OptimisticByteMap.self
        case (.rwlock, _): isRecorded ? RecordedReadWriteByteMap.self : ReadWriteByteMap.self
        case (.checked, _): CheckedByteMap.self
        }
    }
}

/// A map behind a guard that is none of the strategies': a test's.
// Safety: as above.
private final class GuardedByteMap<Guard: ShardGuard & ~Copyable>: ByteMap<Guard, ByteTable, NoRecords>,
    @unchecked Sendable, InstrumentedMap
{}

extension ShardGuard where Self: ~Copyable {
    /// A map whose every shard stands behind a guard of this kind. Open to the package, so that a test can bring a
    /// guard of its own.
    package static func makeMap(
        name: MapName, options: MapOptions, incarnation: UInt64, createdAt: Double,
        nanoseconds: @escaping @Sendable () -> UInt64 = MonotonicClock.coarseNanoseconds,
        observer: (any OperationObserver)? = nil
    ) -> any InstrumentedMap {
        GuardedByteMap<Self>(
            name: name, options: options, incarnation: incarnation, createdAt: createdAt, budget: MemoryBudget(),
            clock: ExpiryClock(nanoseconds: nanoseconds), watch: MapWatch.over(name, options, observer))
    }
}
