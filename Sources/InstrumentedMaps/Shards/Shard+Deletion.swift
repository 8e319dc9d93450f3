public import Instruments

// What a delete does about live iterators that are open on the map; all of it under the exclusive guard, so that an
// iterator that has opened before it enters a shard loses nothing of it to a delete that comes after.

extension Shard where Guard: ~Copyable, Table: ~Copyable {
    /// Whether a delete may go on; counts a refusal. Cost: one relaxed load, of a cell that a delete reads anyway.
    @inlinable
    @inline(__always)
    func admitsDelete() -> Bool {
        guard unsafe openCount.pointee.isAny, deletionGuard == .deny else { return true }
        rare.guardRefusals.addExclusively()
        return false
    }

    /// Counts a delete that found its key while an iterator was open, and ends the iterators where the guard says so.
    @inline(never)
    @usableFromInline
    func meetIterators() {
        rare.deletesDuringIteration.addExclusively()
        if deletionGuard == .stopIteration { iterators.stopAll(.deletion) }
    }

    /// The end of a program that deletes without looking whether it may, from a map that it has told to refuse.
    @inline(never)
    @usableFromInline
    func trapRefusedDelete() -> Never {
        fatalError(
            "a delete on a map with guard \"deny\" and an open live iterator; delete by deleteGuarded and the like")
    }

    /// Runs `body` with no writer inside, as an iteration, which counts.
    func holdingForIteration(_ body: () -> Void) {
        shardGuard.sharing(as: .iterate) {
            bumpAsReader(rare.iterations)
            body()
        }
    }
}

extension Shard where Guard: ~Copyable, Table: ByteKeyedTable & ~Copyable {
    /// Shows every entry; the caller is inside ``holdingForIteration(_:)``.
    func forEachHeld(_ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        unsafe table.pointee.forEach(body)
    }
}
