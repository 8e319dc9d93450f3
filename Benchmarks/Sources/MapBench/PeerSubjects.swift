import CPeers

/// oneTBB's `concurrent_hash_map`.
final class TBBSubject: Subject {
    // Safety: made for several threads; the handle itself never changes.
    nonisolated(unsafe) private let map = peer_tbb_create()

    deinit { peer_tbb_destroy(map) }

    func get(_ key: Bytes, into value: UnsafeMutablePointer<UInt8>) -> Int {
        peer_tbb_get(map, key.baseAddress.unsafelyUnwrapped, key.count, value)
    }

    func set(_ key: Bytes, _ value: Bytes) {
        peer_tbb_set(
            map, key.baseAddress.unsafelyUnwrapped, key.count, value.baseAddress.unsafelyUnwrapped, value.count)
    }

    func delete(_ key: Bytes) -> Bool { peer_tbb_delete(map, key.baseAddress.unsafelyUnwrapped, key.count) }

    var count: Int { peer_tbb_count(map) }
}

/// `std::unordered_map` behind one `std::shared_mutex`.
final class UnorderedMapSubject: Subject {
    // Safety: every function takes the mutex; the handle itself never changes.
    nonisolated(unsafe) private let map = peer_unordered_create()

    deinit { peer_unordered_destroy(map) }

    func get(_ key: Bytes, into value: UnsafeMutablePointer<UInt8>) -> Int {
        peer_unordered_get(map, key.baseAddress.unsafelyUnwrapped, key.count, value)
    }

    func set(_ key: Bytes, _ value: Bytes) {
        peer_unordered_set(
            map, key.baseAddress.unsafelyUnwrapped, key.count, value.baseAddress.unsafelyUnwrapped, value.count)
    }

    func delete(_ key: Bytes) -> Bool { peer_unordered_delete(map, key.baseAddress.unsafelyUnwrapped, key.count) }

    var count: Int { peer_unordered_count(map) }
}
