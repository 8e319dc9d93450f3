// std::unordered_map behind one std::shared_mutex: what most C++ services begin with.

#include <malloc.h>

#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "Bytes.hpp"
#include "CPeers.h"

struct peer_unordered {
    std::shared_mutex mutex;
    std::unordered_map<std::string, std::string, peers::BytesHash, std::equal_to<>> map;
};

peer_unordered *peer_unordered_create(void) { return new peer_unordered; }

void peer_unordered_destroy(peer_unordered *map) { delete map; }

ptrdiff_t peer_unordered_get(peer_unordered *map, const uint8_t *key, size_t key_length, uint8_t *value) {
    std::shared_lock lock(map->mutex);
    const auto found = map->map.find(peers::view(key, key_length));
    if (found == map->map.end()) return -1;
    std::memcpy(value, found->second.data(), found->second.size());
    return static_cast<ptrdiff_t>(found->second.size());
}

void peer_unordered_set(peer_unordered *map, const uint8_t *key, size_t key_length, const uint8_t *value,
                        size_t value_length) {
    const auto bytes = peers::view(value, value_length);
    std::unique_lock lock(map->mutex);
    // Not operator[]: in C++20 it would make a std::string of the key even when the key is there.
    const auto found = map->map.find(peers::view(key, key_length));
    if (found != map->map.end()) {
        found->second.assign(bytes);
    } else {
        map->map.emplace(peers::view(key, key_length), bytes);
    }
}

bool peer_unordered_delete(peer_unordered *map, const uint8_t *key, size_t key_length) {
    std::unique_lock lock(map->mutex);
    const auto found = map->map.find(peers::view(key, key_length));
    if (found == map->map.end()) return false;
    map->map.erase(found);
    return true;
}

size_t peer_unordered_count(peer_unordered *map) {
    std::shared_lock lock(map->mutex);
    return map->map.size();
}

void peer_trim_heap(void) { malloc_trim(0); }
