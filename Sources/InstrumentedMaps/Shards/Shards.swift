import CSystem

// The shards of one map, in one block, each at the beginning of two cache lines of its own (see Shard.swift):
//
//     │ shard 0 ············· │ shard 1 ············· │ … │ shard n ············· │
//     0                       stride: a multiple of 128 bytes

/// All shards of one map, for the map's life.
///
/// Concurrency: the row itself never changes; each shard knows what may be done with it at once.
@safe
@usableFromInline
struct Shards<Guard: ShardGuard & ~Copyable, Table: ShardTable & ~Copyable>: @unchecked Sendable {
    @usableFromInline let count: Int
    // Safety: `count` shards, each at a multiple of `stride`, as long as `owner`.
    @usableFromInline let start: UnsafeMutableRawPointer
    private let owner: ShardOwner<Guard, Table>

    /// Two lines: processors that fetch lines in pairs fetch no other shard's.
    @usableFromInline static var alignment: Int { 128 }

    @inlinable static var stride: Int {
        (MemoryLayout<Shard<Guard, Table>>.size + alignment - 1) & -alignment
    }

    init(count: Int, _ make: (Int) -> Shard<Guard, Table>) {
        self.count = count
        owner = ShardOwner(count: count, make)
        unsafe start = owner.start
    }

    /// Where a shard is: for code that comes back to it, and is to keep one address.
    @inline(__always)
    func pointer(_ index: Int) -> UnsafePointer<Shard<Guard, Table>> {
        assert(index >= 0 && index < count, "there is no shard \(index)")
        // Safety: as below.
        let address = unsafe mapwatch_one_address(start + index &* Self.stride).unsafelyUnwrapped
        return unsafe UnsafePointer(address.assumingMemoryBound(to: Shard<Guard, Table>.self))
    }

    @inlinable subscript(index: Int) -> Shard<Guard, Table> {
        @inline(__always)
        unsafeAddress {
            assert(index >= 0 && index < count, "there is no shard \(index)")
            // Safety: `KeyHash.shard(of:)` and loops over all shards give no other numbers.
            return unsafe UnsafePointer(
                (start + index &* Self.stride).assumingMemoryBound(to: Shard<Guard, Table>.self))
        }
    }
}

/// Owns the shards of one map: a class, for the reason of `TableOwner`.
@safe
private final class ShardOwner<Guard: ShardGuard & ~Copyable, Table: ShardTable & ~Copyable>: @unchecked Sendable {
    private typealias Row = Shards<Guard, Table>

    let count: Int
    // Safety: all shards are initialised for the life of this object.
    let start: UnsafeMutableRawPointer

    init(count: Int, _ make: (Int) -> Shard<Guard, Table>) {
        self.count = count
        unsafe start = .allocate(byteCount: count * Row.stride, alignment: Row.alignment)
        for index in 0..<count { unsafe shard(index).initialize(to: make(index)) }
    }

    deinit {
        for index in 0..<count { unsafe shard(index).deinitialize(count: 1) }
        unsafe start.deallocate()
    }

    private func shard(_ index: Int) -> UnsafeMutablePointer<Shard<Guard, Table>> {
        unsafe (start + index * Row.stride).bindMemory(to: Shard<Guard, Table>.self, capacity: 1)
    }
}
