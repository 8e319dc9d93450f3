import Glibc
import Workloads

typealias Bytes = UnsafeBufferPointer<UInt8>

/// A map under measurement. How each one copies keys and values stands in `CPeers.h`.
///
/// `play` and `playTimed` are requirements with one shared body each, so that every conforming class gets a loop that the
/// compiler specialises for it: the peers pay one C call an operation, Swift's maps one method call.
protocol Subject: AnyObject, Sendable {
    /// What the map's keys are, and how they come out of a list.
    associatedtype Key
    associatedtype Keys
    func keys(of list: OperationList) -> Keys
    func key(_ keys: Keys, _ index: Int) -> Key

    /// Copies the value to `value` and returns its length; -1 when the key is absent.
    func get(_ key: Key, into value: UnsafeMutablePointer<UInt8>) -> Int
    func set(_ key: Key, _ value: Bytes)
    /// False when the key was absent.
    func delete(_ key: Key) -> Bool
    var count: Int { get }

    /// Plays the list once, or its beginning when `deadline` comes first.
    func play(_ list: OperationList, until deadline: UInt64) -> Played
    /// Plays the list round and round until `deadline`, with one look at the clock an operation.
    func playTimed(_ list: OperationList, until deadline: UInt64) -> TimedPlay

    /// Whether the map has a call of its own for several operations. No row with batches is measured unless one of the
    /// project's own maps says so; a map without such a call plays a batch one by one.
    var takesBatches: Bool { get }
    func playBatches(_ list: OperationList, of size: Int, until deadline: UInt64) -> Played
}

/// What a thread saw: the same for every subject when no other thread touched its keys.
struct Played: Sendable, Equatable {
    var operations = 0
    var hits = 0
    var misses = 0
    /// Over the lengths and the first bytes of all values got, in their order.
    var checksum: UInt64 = 0
}

struct TimedPlay: Sendable {
    var operations = 0
    /// From one look at the clock to the next, so that a thread which was put to sleep between operations counts too, as
    /// it does for a control thread.
    var longestNanoseconds: UInt64 = 0
}

extension Subject {
    var takesBatches: Bool { false }

    func playBatches(_ list: OperationList, of size: Int, until deadline: UInt64) -> Played {
        play(list, until: deadline)
    }

    /// Makes a list's keys ahead of its first use, so that no run is timed making them.
    func prepare(_ list: OperationList) { _ = keys(of: list) }

    /// Plays the whole list.
    func play(_ list: OperationList) -> Played { play(list, until: .max) }

    func play(_ list: OperationList, until deadline: UInt64) -> Played {
        let operations = list.operations
        let keys = keys(of: list)
        let buffers = ValueBuffers()
        var played = Played()
        // The clock is looked at once in 1024 operations: often enough for a deadline, and below what can be measured.
        while played.operations < operations.count, monotonicNanoseconds() < deadline {
            let end = min(operations.count, played.operations + 1024)
            for index in played.operations..<end {
                perform(operations[index].kind, key(keys, index), index, buffers, &played)
            }
            played.operations = end
        }
        return played
    }

    func playTimed(_ list: OperationList, until deadline: UInt64) -> TimedPlay {
        let operations = list.operations
        let keys = keys(of: list)
        let buffers = ValueBuffers()
        var played = Played()
        var timed = TimedPlay()
        var index = 0
        var before = monotonicNanoseconds()
        while before < deadline {
            perform(operations[index].kind, key(keys, index), index, buffers, &played)
            index = index + 1 == operations.count ? 0 : index + 1
            let after = monotonicNanoseconds()
            timed.longestNanoseconds = max(timed.longestNanoseconds, after - before)
            timed.operations += 1
            before = after
        }
        return timed
    }

    @inline(__always)
    private func perform(
        _ kind: OperationKind, _ key: Key, _ index: Int, _ buffers: borrowing ValueBuffers, _ played: inout Played
    ) {
        switch kind {
        case .get:
            let length = get(key, into: buffers.output)
            if length < 0 {
                played.misses += 1
                return
            }
            played.hits += 1
            played.checksum = played.checksum &* 31 &+ UInt64(length) &+ buffers.stampRead
        case .set:
            set(key, buffers.input(stamp: UInt64(index)))
        case .delete:
            if delete(key) { played.hits += 1 } else { played.misses += 1 }
        }
    }
}

/// Keys as the bytes that stand in the list.
extension Subject where Key == Bytes {
    func keys(of list: OperationList) -> UnsafeBufferPointer<Operation> { list.operations }

    @inline(__always)
    func key(_ keys: UnsafeBufferPointer<Operation>, _ index: Int) -> Bytes { OperationList.key(keys, index) }
}

/// Keys as texts that were made ahead of time.
extension Subject where Key == String {
    func keys(of list: OperationList) -> TextKeys { list.textKeys }

    @inline(__always)
    func key(_ keys: TextKeys, _ index: Int) -> String { keys[index] }
}

/// A thread's own value to set, and its buffer to get into.
struct ValueBuffers: ~Copyable {
    private let value = UnsafeMutableRawPointer.allocate(byteCount: Workload.valueLength, alignment: 16)
    let output = UnsafeMutablePointer<UInt8>.allocate(capacity: Workload.valueLength)

    init() {
        memset(value, 0x76, Workload.valueLength)
        memset(output, 0, Workload.valueLength)
    }

    deinit {
        value.deallocate()
        output.deallocate()
    }

    /// The value with its first eight bytes set to `stamp`, so that a lost write shows in the self-check.
    @inline(__always)
    func input(stamp: UInt64) -> Bytes {
        value.storeBytes(of: stamp, as: UInt64.self)
        return Bytes(start: value.assumingMemoryBound(to: UInt8.self), count: Workload.valueLength)
    }

    @inline(__always)
    var stampRead: UInt64 { UnsafeRawPointer(output).loadUnaligned(as: UInt64.self) }
}
