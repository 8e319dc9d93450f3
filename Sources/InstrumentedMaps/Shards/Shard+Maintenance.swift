import Instruments

// The chores of one shard, which no operation does or waits for.

extension Shard where Guard: ~Copyable, Table: ~Copyable {
    /// Removes expired entries, moves slots or records, up to `budget` in slices of 64, so that an operation waits for no
    /// more than that. A shard where nothing is to be done is not even locked, whoever writes it; one where somebody stays
    /// inside for some milliseconds is passed over until the next time.
    ///
    /// `watch` and `index` say who hears of it where entries expired, and as which shard. Cost where nothing is to be done:
    /// one load.
    @inline(__always)
    func maintain(budget: Int, _ watch: MapWatch?, at index: Int) -> Int {
        _fastPath(writes.upkeep.isEmpty) ? 0 : tidy(budget: budget, watch, at: index)
    }

    @inline(never)
    private func tidy(budget: Int, _ watch: MapWatch?, at index: Int) -> Int {
        var done = 0
        while done < budget, !isTidy {
            let slice = min(HashIndex.slotsPerStep, budget - done)
            let moved = sweeping(watch, at: index) {
                let moved = unsafe table.pointee.maintain(budget: slice)
                publish()
                return moved
            }
            // Nothing left to do, or somebody stays inside: then next time.
            guard let moved, moved > 0 else { break }
            done += moved
        }
        return done
    }

    /// Does one slice of maintenance, which is never a party of a conflict; nil when somebody stays inside.
    private func sweeping(_ watch: MapWatch?, at index: Int, _ body: () -> Int) -> Int? {
        guard let watch, let expiry else { return shardGuard.exclusivelySoon(body) }
        let before = expiry.expirations.value
        return watch.watching(.sweep) { watch in
            watch.aims(at: index)
            let moved = shardGuard.exclusivelySoon {
                watch.isInside()
                let moved = body()
                if expiry.expirations.value == before { watch.isForgotten() }
                watch.isLeaving(isAlone: true)
                return moved
            }
            if moved == nil { watch.isForgotten() }
            return moved
        }
    }

    private var isTidy: Bool {
        let upkeep = writes.upkeep
        return !upkeep.contains(.chores) && (!upkeep.contains(.deadlines) || expiry?.deadlines.value ?? 0 == 0)
    }
}
