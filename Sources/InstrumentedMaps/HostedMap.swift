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

    /// Reads all counters relaxed. Takes no lock and walks no entries. `now` is `MonotonicClock`'s: the longest wait
    /// depends on it.
    func snapshot(now: UInt64) -> MapSnapshot
}

extension HostedMap {
    /// ``snapshot(now:)`` of this moment.
    public func snapshot() -> MapSnapshot { snapshot(now: MonotonicClock.nanoseconds()) }
}
