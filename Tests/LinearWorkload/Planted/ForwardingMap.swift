import InstrumentedMaps

/// A map that does all that it does not do otherwise as `inner` does.
protocol ForwardingMap: InstrumentedMap {
    var inner: any InstrumentedMap { get }
}

extension ForwardingMap {
    var name: MapName { inner.name }

    var options: MapOptions { inner.options }

    func load(_ key: Span<UInt8>) -> [UInt8]? { inner.load(key) }

    func load(_ key: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int? { inner.load(key, into: &output) }

    func store(_ key: Span<UInt8>, _ value: Span<UInt8>) -> StoreOutcome { inner.store(key, value) }

    func store(_ key: Span<UInt8>, _ value: Span<UInt8>, ttlSeconds: Int) -> StoreOutcome {
        inner.store(key, value, ttlSeconds: ttlSeconds)
    }

    func delete(_ key: Span<UInt8>) -> Bool { inner.delete(key) }

    func modify(
        _ key: Span<UInt8>, countingLoad: Bool, _ decide: (Span<UInt8>?) -> EntryChange
    ) -> ModifyOutcome {
        inner.modify(key, countingLoad: countingLoad, decide)
    }

    func perform(_ batch: inout MapBatch) { inner.perform(&batch) }

    func deleteMatching(_ isIncluded: (Span<UInt8>) -> Bool) -> Int { inner.deleteMatching(isIncluded) }

    func deleteMatchingGuarded(_ isIncluded: (Span<UInt8>) -> Bool) throws(DeletionRefused) -> Int {
        try inner.deleteMatchingGuarded(isIncluded)
    }

    func forEachLocked(_ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Void) { inner.forEachLocked(body) }

    func iterate(
        _ kind: IterationKind, prefix: [UInt8], maximumBytes: Int
    ) throws(IterationError) -> any MapIterator {
        try inner.iterate(kind, prefix: prefix, maximumBytes: maximumBytes)
    }

    func maintain(budget: Int) -> Int { inner.maintain(budget: budget) }

    var count: Int { inner.count }

    func countExact() -> Int { inner.countExact() }
    func shard(of key: Span<UInt8>) -> Int { inner.shard(of: key) }
    func hold(shard: Int, _ body: () -> Void) { inner.hold(shard: shard, body) }

    var mode: MapMode { inner.mode }

    func setMode(_ mode: MapMode) { inner.setMode(mode) }

    func snapshot(now: UInt64) -> MapSnapshot { inner.snapshot(now: now) }
}

extension Span where Element == UInt8 {
    /// Whether this is one of the keys that threads fight over; the faults leave the others alone.
    var isHot: Bool { count > 0 && self[0] == 1 }
}
