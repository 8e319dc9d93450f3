import CSystem
import Instruments

// What is read of a shard from outside its guard: cells alone, relaxed, and no lock is taken.

extension Shard where Guard: ~Copyable, Table: ~Copyable {
    /// Whether reading the cells again would give `before`, an earlier ``glance()``: nobody has been inside since.
    @inline(__always)
    func stands(as before: ShardGlance) -> Bool {
        before.reading.isAtRest && shardGuard.entrancesAtRest == before.lockAcquired
    }

    /// Has the lines fetched that ``stands(as:)`` and ``maintain(budget:_:at:)`` look at first.
    @inline(__always)
    func prefetch() {
        // Safety: nothing is read; an address that is not the cell's would cost time.
        unsafe withUnsafePointer(to: writes.state) { unsafe mapwatch_prefetch($0) }
        unsafe withUnsafePointer(to: loads.hits) { unsafe mapwatch_prefetch($0) }
    }

    /// Has the other lines fetched that ``glance()`` looks at.
    @inline(__always)
    func prefetchCells() {
        // Safety: as above.
        unsafe withUnsafePointer(to: shardGuard) { unsafe mapwatch_prefetch(UnsafeRawPointer($0) + 16) }
        unsafe withUnsafePointer(to: rare.deletesDuringIteration) { unsafe mapwatch_prefetch($0) }
    }

    /// What the indicators look at, as in ``sample(now:)``.
    @inline(__always)
    func glance() -> ShardGlance {
        let entrances = Table.isPublished ? nil : shardGuard.entrancesAtRest
        var glance = ShardGlance()
        writes.read(into: &glance)
        glance.loads = loads.count
        glance.deletesDuringIteration = rare.deletesDuringIteration.value
        if writes.upkeep.contains(.deadlines) { glance.deletes &+= expiry?.expirations.value ?? 0 }
        if Table.isPublished { glance.loads &+= published?.reads.count ?? 0 }
        shardGuard.add(to: &glance)
        // Nobody waits for a guard that has nobody inside.
        if entrances == nil { glance.lockWaiters = shardGuard.waiters }
        // Nobody came while the cells were read.
        glance.reading.isAtRest = entrances == glance.lockAcquired
        return glance
    }

    /// All cells, read relaxed: no lock is taken, so two cells may show two moments.
    func sample(now: UInt64) -> ShardSample {
        var sample = ShardSample()
        writes.read(into: &sample)
        loads.read(into: &sample)
        rare.read(into: &sample)
        sample.deletes += expiry?.expirations.value ?? 0
        published?.reads.add(to: &sample)
        sample.add(shardGuard.sample(now: now))
        return sample
    }
}
