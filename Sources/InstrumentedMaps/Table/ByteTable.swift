import CSystem
import Instruments

// The table of one shard: an index of places and the records that it refers to.
//
//     HashIndex   [ place·ref | place·ref | · | place·ref ]          8 bytes an entry, sorted by place
//                               │
//     RecordStore               └──▶ [ header │ key │ value ]       inline in a slot of 16-byte units
//                                       │ deadline, where there is one
//     ExpiryWheel               ────────┘                           chained by deadline
//
// In memory, a cache line each, of which a change needs the last three:
//
//     index: growth │ index: words │ index: count, bounds, store: slabs, classes, bytes │ store: new slabs, ttl, wheel
//
// Neither growth nor a delete touches a record; a search touches one, and only when all 32 bits of its place agree.
//
// An entry is gone for every caller from its deadline on; its memory goes with `maintain`, or with the next write of the
// key. What goes so counts in its `expirations`.

/// Keys and values of one shard, with its own account of the bytes they take.
///
/// Not thread safe: every call stands under the shard's lock; `find` and `forEach` may share it.
struct ByteTable: ByteKeyedTable, ~Copyable {
    var index: HashIndex
    var store: RecordStore
    /// How long an entry lives when nobody says otherwise; nil for ever.
    private let ttlSeconds: Int?
    private var wheel: ExpiryWheel
    private let clock: ExpiryClock
    private let counters = ExpiryCounters()
    /// Keeps the table where it is: a type with an atomic in it is lent by its address. Without one Swift 6.3.1 copies all
    /// 250 bytes to the stack for each look, and a load took twice as long.
    private let anchor = Counter()

    /// An empty table, which takes its memory from `budget`; `clock` is read only where an entry has a deadline.
    init(budget: MemoryBudget = MemoryBudget(), clock: ExpiryClock = .system, ttlSeconds: Int? = nil) {
        index = HashIndex(budget: budget)
        store = RecordStore(budget: budget)
        wheel = ExpiryWheel(budget: budget)
        self.clock = clock
        self.ttlSeconds = ttlSeconds
    }

    /// Entries, those included whose time is over but whose memory is still here.
    var count: Int { index.count }

    /// Slots of the index.
    var capacity: Int { index.capacity }

    /// The index's growths that have ended.
    var growth: TableGrowth { index.growth }

    @inline(__always)
    var state: TableState {
        let upkeep = index.isMoving ? store.upkeep.union(.chores) : store.upkeep
        return TableState(changes: index.moves &+ UInt64(store.directoryGrowths), upkeep)
    }

    /// Slots of the index that were moved by growth and shrinking since the beginning.
    var slotsMoved: UInt64 { index.slotsMoved }

    /// Live entries with their records and index words: falls with every delete.
    var liveBytes: UInt64 { UInt64(truncatingIfNeeded: store.liveBytes &+ index.count &* 8) }

    /// What records, index and wheel hold of the allocators.
    var allocatedBytes: UInt64 { UInt64(truncatingIfNeeded: store.allocatedBytes &+ index.bytes &+ wheel.bytes) }

    @inline(__always)
    var levels: TableLevels {
        TableLevels(
            count: count, capacity: capacity, liveBytes: Int(truncatingIfNeeded: liveBytes),
            allocatedBytes: Int(truncatingIfNeeded: allocatedBytes))
    }

    var expiry: ExpiryCounters? { counters }

    /// Whether any entry has a deadline.
    var hasDeadlines: Bool { wheel.count > 0 }

    func show(_ whereabouts: borrowing TableWhereabouts) {
        unsafe index.show(whereabouts, slabAddresses: store.slabAddresses)
    }

    /// Shows `body` the value of `key` where it lies, nil when it is absent, and returns what that returns.
    func withValue<R>(_ key: Span<UInt8>, _ hash: KeyHash, _ body: (Span<UInt8>?) -> R) -> R {
        guard let value = unsafe value(of: key, search(key, hash)) else { return body(nil) }
        // Safety: the span cannot outlive the call that it is passed to, and the record outlives it.
        return unsafe body(Span(_unsafeBytes: value))
    }

    /// Sets the value of `key`, for `seconds` or, without them, for as long as the table's entries live, unless there is
    /// no memory for it: then nothing is changed.
    @inline(__always)
    mutating func store(
        _ key: Span<UInt8>, _ hash: KeyHash, value: Span<UInt8>, for seconds: Int?
    ) -> StoreOutcome {
        store(key, hash, value: value, for: seconds, PlainWrites())
    }

    @inline(__always)
    mutating func store(
        _ key: Span<UInt8>, _ hash: KeyHash, value: Span<UInt8>, for seconds: Int?, _ writes: some TableWrites
    ) -> StoreOutcome {
        precondition(unsafe key.count <= Record.maximumKeyBytes, "a key has at most 65,535 bytes")
        precondition(unsafe value.count <= Record.maximumValueBytes, "a value has at most 4 GiB")
        let found = search(key, hash)
        var position = found.position
        let seconds = seconds ?? ttlSeconds
        writes.begin()
        defer { writes.end(view) }
        if unsafe seconds != nil || found.record != nil && !found.isPlain {
            return storeWithDeadline(key, hash, value, for: seconds, position, writes)
        }
        let size = unsafe Record.size(key: key.count, value: value.count)
        guard let record = unsafe found.record else {
            if !index.hasRoom {
                guard index.makeRoom(writes) else { return .refused }
                position = search(key, hash).position
            }
            guard let ref = store.allocate(size, writes) else { return .refused }
            unsafe writes.write(store.record(at: ref), place: hash.place, key: key, value: value)
            index.insert(hash.place, ref, at: position, writes)
            return .inserted
        }
        let old = position.ref
        if unsafe RecordStore.haveOneClass(size, record.size) {
            unsafe writes.writePlainValue(record, value, keyCount: key.count)
        } else {
            guard let new = store.allocate(size, writes) else { return .refused }
            unsafe writes.write(store.record(at: new), place: hash.place, key: key, value: value)
            index.replace(position, with: new, writes)
            store.release(old, writes)
        }
        return .updated
    }

    /// Removes `key`; false when it was not there.
    @inline(__always)
    mutating func remove(_ key: Span<UInt8>, _ hash: KeyHash) -> Bool { remove(key, hash, PlainWrites()) }

    @inline(__always)
    mutating func remove(_ key: Span<UInt8>, _ hash: KeyHash, _ writes: some TableWrites) -> Bool {
        let found = search(key, hash)
        guard unsafe found.record != nil else { return false }
        writes.begin()
        defer { writes.end(view) }
        guard found.isPlain else { return removeWithDeadline(found.position, writes) }
        removeRecord(at: found.position, writes)
        return true
    }

    /// Calls `body` with key and value of each entry, in the order of places.
    func forEach(_ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        let now = hasDeadlines ? clock.now : 0
        index.forEach { ref in
            let record = unsafe store.record(at: ref)
            if unsafe record.expires, unsafe record.deadline <= now { return }
            // Safety: spans cannot outlive the call that they are passed to, and the record outlives it.
            unsafe body(Span(_unsafeBytes: record.key), Span(_unsafeBytes: record.value))
        }
    }

    /// Does up to `budget` steps that nobody waits for: removes entries whose time is over, ends a growth, empties
    /// half-empty slabs. Returns how many it did; 0 when all is well.
    mutating func maintain(budget: Int) -> Int { maintain(budget: budget, PlainWrites()) }

    mutating func maintain(budget: Int, _ writes: some TableWrites) -> Int {
        writes.begin()
        defer { writes.end(view) }
        let expired = expire(budget: budget, writes)
        guard expired == 0 else { return expired }
        let visited = index.moveOn(slots: budget, writes)
        guard visited == 0 else { return visited }
        return store.compact(budget: budget, writes) { store, old, new in
            let record = unsafe store.record(at: new)
            index.replace(index.position(of: old, unsafe record.place), with: new, writes)
            if unsafe record.expires { wheel.didMove(to: new, in: store, writes) }
        }
    }

    /// What a reader without a lock starts from.
    @inline(__always)
    private var view: TableView { unsafe index.view(slabAddresses: store.slabAddresses) }

    /// What a search came to.
    @safe
    struct Search {
        /// Where the record is, or where one would be inserted.
        let position: HashIndex.Position
        // Safety: valid until the next change.
        let record: Record?
        /// Whether there is a record, and it has no deadline.
        let isPlain: Bool
    }

    @inline(__always)
    func search(_ key: Span<UInt8>, _ hash: KeyHash) -> Search {
        let position = index.first(hash.place)
        guard position.isThere else { return unsafe Search(position: position, record: nil, isPlain: false) }
        return unsafe search(key, hash, at: position, store.record(at: position.ref))
    }

    @inline(__always)
    private func search(
        _ key: Span<UInt8>, _ hash: KeyHash, at position: HashIndex.Position, _ record: Record
    ) -> Search {
        // The end of the value is in the next line as a rule, and need not wait for the first to say so.
        unsafe mapwatch_prefetch(record.base + 64)
        if unsafe _fastPath(record.isPlain(of: key)) {
            return unsafe Search(position: position, record: record, isPlain: true)
        }
        return search(key, hash, from: position)
    }

    @inline(never)
    private func search(_ key: Span<UInt8>, _ hash: KeyHash, from first: HashIndex.Position) -> Search {
        var position = first
        while position.isThere {
            let record = unsafe store.record(at: position.ref)
            if unsafe record.hasKey(key) {
                return unsafe Search(position: position, record: record, isPlain: !record.expires)
            }
            position = index.following(position, hash.place)
        }
        return unsafe Search(position: position, record: nil, isPlain: false)
    }

    /// The value of `key`, unless its time is over; valid until the next change.
    @inline(__always)
    func value(of key: Span<UInt8>, _ found: Search) -> UnsafeRawBufferPointer? {
        guard let record = unsafe found.record else { return nil }
        return unsafe found.isPlain || !isOver(record) ? record.value : nil
    }

    @inline(__always)
    private mutating func removeRecord(at position: HashIndex.Position, _ writes: some TableWrites) {
        let ref = position.ref
        index.remove(position, writes)
        store.release(ref, writes)
    }
}

// MARK: - Expiry

extension ByteTable {
    @inline(__always)
    private func expires(_ ref: RecordRef) -> Bool { unsafe store.record(at: ref).expires }

    @inline(__always)
    private func isExpired(_ ref: RecordRef) -> Bool { unsafe expires(ref) && isOver(store.record(at: ref)) }

    @inline(never)
    private func isOver(_ record: Record) -> Bool { unsafe record.deadline <= clock.now }

    /// ``store(_:_:value:for:)`` where the new record has a deadline, or the one that was `found`. Takes an entry whose
    /// time is over for the absent one that it is, and its place in the index for the new one: so no store removes and
    /// inserts, which could move twice 64 slots.
    @inline(never)
    private mutating func storeWithDeadline(
        _ key: Span<UInt8>, _ hash: KeyHash, _ value: Span<UInt8>, for seconds: Int?, _ found: HashIndex.Position,
        _ writes: some TableWrites
    ) -> StoreOutcome {
        let deadline = seconds.map { clock.deadline(in: $0) }
        if deadline != nil, !wheel.makeRoom(at: clock.now) { return .refused }
        if deadline != nil { store.noteDeadline() }
        let size =
            unsafe Record.size(key: key.count, value: value.count) + (deadline == nil ? 0 : Record.expiryBytes)
        var position = found
        guard position.isThere else {
            if !index.hasRoom {
                guard index.makeRoom(writes) else { return .refused }
                position = search(key, hash).position
            }
            guard let ref = store.allocate(size, writes) else { return .refused }
            write(ref, hash.place, key, value, deadline, writes)
            index.insert(hash.place, ref, at: position, writes)
            return .inserted
        }
        let old = position.ref
        let (wasExpiring, wasOver) = (expires(old), isExpired(old))
        if unsafe RecordStore.haveOneClass(size, store.record(at: old).size) {
            if wasExpiring { leaveWheel(old, writes) }
            write(old, hash.place, key, value, deadline, writes)
        } else {
            guard let new = store.allocate(size, writes) else { return .refused }
            if wasExpiring { leaveWheel(old, writes) }
            write(new, hash.place, key, value, deadline, writes)
            index.replace(position, with: new, writes)
            store.release(old, writes)
        }
        guard wasOver else { return .updated }
        counters.expirations.addExclusively()
        return .inserted
    }

    private mutating func write(
        _ ref: RecordRef, _ place: UInt32, _ key: Span<UInt8>, _ value: Span<UInt8>, _ deadline: UInt32?,
        _ writes: some TableWrites
    ) {
        if let deadline {
            unsafe writes.write(store.record(at: ref), place: place, key: key, value: value, deadline: deadline)
            wheel.add(ref, in: store, writes)
            counters.deadlines.set(UInt64(wheel.count))
        } else {
            unsafe writes.write(store.record(at: ref), place: place, key: key, value: value)
        }
    }

    private mutating func leaveWheel(_ ref: RecordRef, _ writes: some TableWrites) {
        wheel.remove(ref, in: store, writes)
        counters.deadlines.set(UInt64(wheel.count))
    }

    /// Removes an entry that has a deadline; false when its time is over already: then it is left to the wheel, as if it
    /// were not there.
    @inline(never)
    private mutating func removeWithDeadline(_ position: HashIndex.Position, _ writes: some TableWrites) -> Bool {
        if unsafe isOver(store.record(at: position.ref)) { return false }
        leaveWheel(position.ref, writes)
        removeRecord(at: position, writes)
        return true
    }

    /// Removes up to `budget` entries whose time is over; returns how many steps it took.
    private mutating func expire(budget: Int, _ writes: some TableWrites) -> Int {
        guard hasDeadlines else { return 0 }
        let now = clock.now
        var left = budget
        while let ref = wheel.nextDue(at: now, budget: &left, in: store, writes) {
            let position = index.position(of: ref, unsafe store.record(at: ref).place)
            leaveWheel(ref, writes)
            removeRecord(at: position, writes)
            counters.expirations.addExclusively()
            left -= 1
        }
        return budget - left
    }
}
