import Glibc
import InstrumentedMaps
import MapwatchServer

// A shard that stands still, with two threads of its own:
//
//     holder   waits until no request is inside, takes the shard's lock, and leaves when the perturbation is over
//     waiter   wants in meanwhile, as a caller does whom nobody refuses: so `map_shard_lock_waiters` shows 1,
//              `map_shard_lock_acquired_total` stands, and MapShardStalled fires
//
// No thread of a listener waits here, since requests are refused before (`Perturbations`); a program's own calls would wait,
// which is what a stalled shard is.

/// Holds one shard of a map until its perturbation is over.
struct ShardStall: Sendable {
    /// How long the holder looks away at most.
    private static let lookNanoseconds = 5_000_000

    let active: Perturbations.Active
    let perturbations: Perturbations

    /// Blocks for as long as the perturbation is on.
    func run() {
        guard let shard = active.perturbation.shard else { return }
        let map = active.map
        while perturbations.isVisited(map, shard: shard) {
            guard perturbations.isOn(active) else { return }
            Pause.nanoseconds(ShardStall.lookNanoseconds)
        }
        map.hold(shard: shard) {
            // Without a thread for the waiter nothing shows, but the shard is held all the same.
            _ = DetachedThread.start { map.hold(shard: shard) {} }
            while perturbations.isOn(active) { Pause.nanoseconds(ShardStall.lookNanoseconds) }
        }
    }
}

/// A thread that sleeps on purpose: the one thing that perturbations are made of.
enum Pause {
    static func nanoseconds(_ count: Int) {
        var time = timespec(tv_sec: count / 1_000_000_000, tv_nsec: count % 1_000_000_000)
        // Safety: the call only reads the local. A signal ends the sleep early, which hurts nobody.
        _ = unsafe nanosleep(&time, nil)
    }
}
