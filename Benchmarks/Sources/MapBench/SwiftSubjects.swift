import Glibc
import InstrumentedMaps
import Workloads

/// A map of the project, made and held as the daemon does: by the host, behind `any InstrumentedMap`.
final class MapwatchSubject: Subject {
    private let map: any InstrumentedMap

    init(_ options: MapOptions) throws {
        let host = MapHost { 0 }
        let name = try MapName("bench")
        _ = try host.create(name, options)
        map = try host.mapForWriting(name)
    }

    func get(_ key: Bytes, into value: UnsafeMutablePointer<UInt8>) -> Int {
        var output = MutableSpan(_unsafeStart: value, count: Workload.valueLength)
        return map.load(key.span, into: &output) ?? -1
    }

    func set(_ key: Bytes, _ value: Bytes) { map.store(key.span, value.span) }

    func delete(_ key: Bytes) -> Bool { map.delete(key.span) }

    var count: Int { Int(map.snapshot().sum(\.entries)) }

    var takesBatches: Bool { true }

    func playBatches(_ list: OperationList, of size: Int, until deadline: UInt64) -> Played {
        let operations = list.operations
        let buffers = ValueBuffers()
        var played = Played()
        var batch = MapBatch()
        while played.operations < operations.count, monotonicNanoseconds() < deadline {
            // As often as `play` looks at the clock.
            for _ in 0..<(1024 / size) where played.operations < operations.count {
                let end = min(operations.count, played.operations + size)
                batch.removeAll()
                for index in played.operations..<end {
                    let key = OperationList.key(operations, index)
                    switch operations[index].kind {
                    case .get: batch.load(key.span)
                    case .set: batch.store(key.span, buffers.input(stamp: UInt64(index)).span)
                    case .delete: batch.delete(key.span)
                    }
                }
                map.perform(&batch)
                played.operations = end
                for index in 0..<batch.count { note(index, of: batch, in: &played) }
            }
        }
        return played
    }

    @inline(__always)
    private func note(_ index: Int, of batch: borrowing MapBatch, in played: inout Played) {
        switch batch.outcome(of: index) {
        case .found:
            played.hits += 1
            batch.withValue(of: index) { value in
                guard let value else { return }
                let stamp = value.bytes.unsafeLoadUnaligned(as: UInt64.self)
                played.checksum = played.checksum &* 31 &+ UInt64(value.count) &+ stamp
            }
        case .deleted: played.hits += 1
        case .absent, .conflict, .removalRefused: played.misses += 1
        case .stored: break
        }
    }
}

/// The library's generic map, used from another package as a service would.
final class TypedSubject: Subject {
    private let map = ShardedMap<String, [UInt8]>("bench", shards: 256)

    func get(_ key: String, into value: UnsafeMutablePointer<UInt8>) -> Int { copy(map[key], to: value) }

    func set(_ key: String, _ value: Bytes) { map.store(key, [UInt8](value)) }

    func delete(_ key: String) -> Bool { map.delete(key) != nil }

    var count: Int { map.count }
}

/// `Dictionary` in 256 pthread mutexes: what a Swift service would write by hand.
final class DictionarySubject: Subject {
    private let shards = DictionaryShards<[UInt8]>()

    func get(_ key: Bytes, into value: UnsafeMutablePointer<UInt8>) -> Int {
        let key = [UInt8](key)
        return copy(shards.locked(key) { $0[key] }, to: value)
    }

    func set(_ key: Bytes, _ value: Bytes) { shards.set([UInt8](key), [UInt8](value)) }

    func delete(_ key: Bytes) -> Bool { shards.delete([UInt8](key)) }

    var count: Int { shards.count }
}

/// The same with texts as keys.
final class TextDictionarySubject: Subject {
    private let shards = DictionaryShards<String>()

    func get(_ key: String, into value: UnsafeMutablePointer<UInt8>) -> Int {
        copy(shards.locked(key) { $0[key] }, to: value)
    }

    func set(_ key: String, _ value: Bytes) { shards.set(key, [UInt8](value)) }

    func delete(_ key: String) -> Bool { shards.delete(key) }

    var count: Int { shards.count }
}

/// Copies what a map of arrays has returned, with no lock held: arrays are values, and nobody changes this one.
@inline(__always)
private func copy(_ found: [UInt8]?, to value: UnsafeMutablePointer<UInt8>) -> Int {
    guard let found else { return -1 }
    return found.withUnsafeBytes { bytes in
        if let start = bytes.baseAddress { memcpy(value, start, bytes.count) }
        return bytes.count
    }
}

/// 256 dictionaries, each behind a mutex of its own.
private final class DictionaryShards<Key: Hashable & Sendable>: Sendable {
    private struct Shard {
        var mutex = pthread_mutex_t()
        var entries: [Key: [UInt8]] = [:]
        // Two cache lines a shard, so that neighbours share none.
        var padding: (Int, Int, Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    }

    private static var shardCount: Int { 256 }
    // Safety: the pointer never changes; entries are touched only under the shard's mutex.
    nonisolated(unsafe) private let shards = UnsafeMutablePointer<Shard>.allocate(capacity: shardCount)

    init() {
        for index in 0..<DictionaryShards.shardCount {
            (shards + index).initialize(to: Shard())
            pthread_mutex_init(&shards[index].mutex, nil)
        }
    }

    deinit {
        for index in 0..<DictionaryShards.shardCount { pthread_mutex_destroy(&shards[index].mutex) }
        shards.deinitialize(count: DictionaryShards.shardCount)
        shards.deallocate()
    }

    @inline(__always)
    func set(_ key: Key, _ value: [UInt8]) {
        let old = locked(key) { $0.updateValue(value, forKey: key) }
        // Freed here and not under the lock.
        _ = consume old
    }

    @inline(__always)
    func delete(_ key: Key) -> Bool { locked(key) { $0.removeValue(forKey: key) } != nil }

    var count: Int {
        (0..<DictionaryShards.shardCount).reduce(0) { sum, index in
            pthread_mutex_lock(&shards[index].mutex)
            defer { pthread_mutex_unlock(&shards[index].mutex) }
            return sum + shards[index].entries.count
        }
    }

    @inline(__always)
    func locked<Result>(_ key: Key, _ body: (inout [Key: [UInt8]]) -> Result) -> Result {
        // A dictionary seeds its own hash by its size, so the low bits here leave its slots evenly used.
        let shard = shards + (key.hashValue & (DictionaryShards.shardCount - 1))
        pthread_mutex_lock(&shard.pointee.mutex)
        defer { pthread_mutex_unlock(&shard.pointee.mutex) }
        return body(&shard.pointee.entries)
    }
}

/// One `Dictionary` without any lock: what the others must agree with. For one thread.
final class ModelSubject: Subject {
    // Safety: the self-check plays its lists on the model one after another.
    nonisolated(unsafe) private var entries: [[UInt8]: [UInt8]] = [:]

    func get(_ key: Bytes, into value: UnsafeMutablePointer<UInt8>) -> Int {
        guard let found = entries[[UInt8](key)] else { return -1 }
        for index in found.indices { value[index] = found[index] }
        return found.count
    }

    func set(_ key: Bytes, _ value: Bytes) { entries[[UInt8](key)] = [UInt8](value) }

    func delete(_ key: Bytes) -> Bool { entries.removeValue(forKey: [UInt8](key)) != nil }

    var count: Int { entries.count }
}
