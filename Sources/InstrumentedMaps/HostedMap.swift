import Instruments

/// A named map that counts what is done to it: what the host and the collectors need of any map, whatever it holds.
///
/// Concurrency: all methods may be called from any thread.
public protocol HostedMap: AnyObject, Sendable {
    var name: MapName { get }
    var options: MapOptions { get }

    /// Does up to `budget` small steps that no operation waits for: removes entries whose time is over, ends a growth that
    /// has begun, and empties half-empty memory so that it goes back to the system. Returns how many it did; 0 when
    /// nothing is left to do. Locks one shard at a time, for at most 64 steps.
    func maintain(budget: Int) -> Int

    /// Entries now. Weak: the sum of the shards' counters, each read at a moment of its own. Takes no lock.
    var count: Int { get }

    /// Entries at one moment. Linearizable; all shards' locks at once, taken in order: everybody else waits meanwhile, some
    /// 20 ns a shard. Either count includes entries that have expired until maintenance takes them.
    func countExact() -> Int

    /// Whether operations take the shard's guard alone or the map's one lock too.
    var mode: MapMode { get }

    /// Switches the mode, under load too: operations under way end as they began, under their shard's guard, and every one
    /// that begins after this returns obeys. Linearizable as before, and no write is lost. In mode `global` the map's one
    /// lock counts in the row of the first shard; maintenance goes on shard by shard.
    func setMode(_ mode: MapMode)

    /// The live iterators that are open, the oldest first; `now` is `MonotonicClock`'s.
    func openIterators(now: UInt64) -> [OpenIteratorState]

    /// Reads all counters relaxed. Takes no lock and walks no entries. `now` is `MonotonicClock`'s: the longest wait
    /// depends on it.
    func snapshot(now: UInt64) -> MapSnapshot

    /// What the indicators look at each second, of ``snapshot(now:)``, at a fraction of its cost. What is as it was at
    /// `before`, an earlier glance at this map, is not read again.
    func glance(now: UInt64, since before: MapGlance?) -> MapGlance
}

extension HostedMap {
    /// Of the whole snapshot, for a map that has nothing cheaper.
    public func glance(now: UInt64, since before: MapGlance?) -> MapGlance { MapGlance(snapshot(now: now)) }

    /// A first glance.
    public func glance(now: UInt64) -> MapGlance { glance(now: now, since: nil) }

    /// None, as of a map that does not list them.
    public func openIterators(now: UInt64) -> [OpenIteratorState] { [] }

    /// ``snapshot(now:)`` of this moment.
    public func snapshot() -> MapSnapshot { snapshot(now: MonotonicClock.nanoseconds()) }
}
