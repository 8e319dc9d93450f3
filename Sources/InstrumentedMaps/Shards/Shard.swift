import Instruments

/// One lock, one table, one row of counters.
///
/// Every path to the table leads through here, so that no operation can forget its counter.
@safe
struct Shard<Guard: ShardGuard & ~Copyable>: ~Copyable, @unchecked Sendable {
    private let shardGuard = Guard()
    private let counters = ShardCounters()
    // Safety: the table is read only inside `shardGuard.sharing` and changed only inside `exclusively`; it lives behind
    // a pointer because a shard is borrowed, never mutated, by the many threads that use it.
    private let table: UnsafeMutablePointer<ByteTable>
    private let owner: TableOwner

    init(budget: MemoryBudget) {
        owner = TableOwner(budget: budget)
        unsafe table = owner.table
    }

    func load(_ key: Span<UInt8>, _ hash: KeyHash) -> [UInt8]? {
        shardGuard.sharing {
            let value = unsafe table.pointee.find(key, hash)
            if value == nil { bumpAsReader(counters.loadMisses) } else { bumpAsReader(counters.loads) }
            return value
        }
    }

    /// Sets the value of `key`.
    func store(_ key: Span<UInt8>, _ hash: KeyHash, value: Span<UInt8>) -> StoreOutcome {
        shardGuard.exclusively { storeInside(key, hash, value: value) }
    }

    /// Removes `key`; false when it was not there.
    func delete(_ key: Span<UInt8>, _ hash: KeyHash) -> Bool {
        shardGuard.exclusively { deleteInside(key, hash) }
    }

    /// Does to `key` what `decide` says when it sees the value: one critical section from the look to the change. The
    /// change looks the key up once more, in lines that the first look has just fetched; so it is the same store and
    /// the same delete, with the same counters, as everybody's.
    func modify(
        _ key: Span<UInt8>, _ hash: KeyHash, countingLoad: Bool, _ decide: (Span<UInt8>?) -> EntryChange
    ) -> ModifyOutcome {
        shardGuard.exclusively {
            var isThere = false
            let change = unsafe table.pointee.withValue(key, hash) { value in
                if value != nil { isThere = true }
                return decide(value)
            }
            if countingLoad {
                if isThere { bumpAsReader(counters.loads) } else { bumpAsReader(counters.loadMisses) }
            }
            switch change {
            case .keep: return .kept
            case .store(let value): return .stored(storeInside(key, hash, value: value.span))
            case .remove: return deleteInside(key, hash) ? .removed : .kept
            }
        }
    }

    /// The value of `key` for an iterator that listed it before: no load is counted.
    func peek(_ key: Span<UInt8>, _ hash: KeyHash) -> [UInt8]? {
        shardGuard.sharing { unsafe table.pointee.find(key, hash) }
    }

    /// The keys that `isIncluded` wants, copied at one moment. Cost: one walk of the table, readers' lock held.
    func keys(where isIncluded: (Span<UInt8>) -> Bool) -> [[UInt8]] {
        collect(where: isIncluded) { key, _ in [UInt8](copying: key) }
    }

    /// The entries whose keys `isIncluded` wants, copied at one moment; nil when their keys and values are more than
    /// `maximumBytes`. Cost as ``keys(where:)``, plus the values.
    func entries(within maximumBytes: Int, where isIncluded: (Span<UInt8>) -> Bool) -> [MapEntry]? {
        var bytes = 0
        let entries = collect(where: { bytes <= maximumBytes && isIncluded($0) }) { key, value in
            bytes += key.count + value.count
            return MapEntry(key: [UInt8](copying: key), value: [UInt8](copying: value))
        }
        return bytes <= maximumBytes ? entries : nil
    }

    /// Counts an iteration that has reached this shard.
    func countIteration() {
        shardGuard.sharing { bumpAsReader(counters.iterations) }
    }

    /// Moves up to `budget` slots or records in slices of 64, so that an operation waits for no more than that. A shard
    /// that nobody has written since it was tidy is not even locked.
    func maintain(budget: Int) -> Int {
        var done = 0
        while done < budget, counters.tidyAtWrites.value != counters.writes {
            let slice = min(HashIndex.slotsPerStep, budget - done)
            let moved = shardGuard.exclusively {
                let moved = unsafe table.pointee.maintain(budget: slice)
                if moved > 0 {
                    unsafe counters.publish(table.pointee)
                } else {
                    counters.tidyAtWrites.set(counters.writes)
                }
                return moved
            }
            if moved == 0 { break }
            done += moved
        }
        return done
    }

    /// All cells, read relaxed: no lock is taken, so two cells may show two moments.
    var sample: ShardSample {
        var sample = ShardSample()
        counters.read(into: &sample)
        let lock = shardGuard.meter
        sample.lockAcquired = lock.acquired
        sample.lockContended = lock.contended
        sample.lockWaitNanoseconds = lock.waitNanoseconds
        sample.lockWaiters = lock.waiters
        return sample
    }

    private func collect<Item>(
        where isIncluded: (Span<UInt8>) -> Bool, _ copy: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Item
    ) -> [Item] {
        var items: [Item] = []
        shardGuard.sharing {
            unsafe table.pointee.forEach { key, value in
                if isIncluded(key) { items.append(copy(key, value)) }
            }
        }
        return items
    }

    /// Under the exclusive lock.
    @inline(__always)
    private func storeInside(_ key: Span<UInt8>, _ hash: KeyHash, value: Span<UInt8>) -> StoreOutcome {
        let outcome = unsafe table.pointee.store(key, hash, value: value)
        switch outcome {
        case .inserted: counters.inserts.addExclusively()
        case .updated: counters.updates.addExclusively()
        case .refused: counters.refusals.addExclusively()
        }
        unsafe counters.publish(table.pointee)
        return outcome
    }

    /// Under the exclusive lock.
    @inline(__always)
    private func deleteInside(_ key: Span<UInt8>, _ hash: KeyHash) -> Bool {
        guard unsafe table.pointee.remove(key, hash) else {
            counters.deleteMisses.addExclusively()
            return false
        }
        counters.deletes.addExclusively()
        unsafe counters.publish(table.pointee)
        return true
    }

    private func bumpAsReader(_ counter: borrowing Counter) {
        if Guard.readersShare { counter.add() } else { counter.addExclusively() }
    }
}

/// Makes and frees one table.
///
/// A class, because Swift 6.3.1 optimises the `deinit` of a generic noncopyable struct away when an array holds it: a
/// dropped map would keep every entry.
@safe
private final class TableOwner: @unchecked Sendable {
    // Safety: initialised for the life of this object; the shard says who may touch it.
    let table: UnsafeMutablePointer<ByteTable>

    init(budget: MemoryBudget) {
        unsafe table = .allocate(capacity: 1)
        unsafe table.initialize(to: ByteTable(budget: budget))
    }

    deinit {
        unsafe table.deinitialize(count: 1)
        unsafe table.deallocate()
    }
}
