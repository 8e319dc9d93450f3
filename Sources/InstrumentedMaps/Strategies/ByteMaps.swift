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
        clock: ExpiryClock, observer: (any OperationObserver)?)
}

// Safety: sendable as `ByteMap` is; none adds a property.
final class ShardedByteMap: ByteMap<ExclusiveGuard, ByteTable>, @unchecked Sendable, StrategyMap {}

final class OptimisticByteMap: ByteMap<ExclusiveGuard, PublishedByteTable>, @unchecked Sendable, StrategyMap {}

final class ReadWriteByteMap: ByteMap<SharedGuard, ByteTable>, @unchecked Sendable, StrategyMap {}

final class CheckedByteMap: ByteMap<CheckedGuard, ByteTable>, @unchecked Sendable, StrategyMap {}

extension MapOptions {
    /// The class of the maps with these options.
    var mapType: any StrategyMap.Type {
        switch (strategy, reads) {
        case (.sharded, .locked): ShardedByteMap.self
        case (.sharded, .optimistic): OptimisticByteMap.self
        case (.rwlock, _): ReadWriteByteMap.self
        case (.checked, _): CheckedByteMap.self
        }
    }
}

/// A map behind a guard that is none of the strategies': a test's.
// Safety: as above.
private final class GuardedByteMap<Guard: ShardGuard & ~Copyable>: ByteMap<Guard, ByteTable>, @unchecked Sendable,
    InstrumentedMap
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
            clock: ExpiryClock(nanoseconds: nanoseconds), observer: observer)
    }
}
