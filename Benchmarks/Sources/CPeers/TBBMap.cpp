// oneTBB's concurrent_hash_map as its documentation uses it: accessors hold the element's lock while the value is read or
// written; the allocator is its default (tbb_allocator: libtbbmalloc when it is installed, as Debian's package does).

#include <oneapi/tbb/concurrent_hash_map.h>

#include <cstring>
#include <string>

#include "Bytes.hpp"
#include "CPeers.h"

struct peer_tbb {
    using Map = tbb::concurrent_hash_map<std::string, std::string, peers::BytesHash>;
    Map map;
};

peer_tbb *peer_tbb_create(void) { return new peer_tbb; }

void peer_tbb_destroy(peer_tbb *map) { delete map; }

ptrdiff_t peer_tbb_get(peer_tbb *map, const uint8_t *key, size_t key_length, uint8_t *value) {
    peer_tbb::Map::const_accessor found;
    if (!map->map.find(found, peers::view(key, key_length))) return -1;
    std::memcpy(value, found->second.data(), found->second.size());
    return static_cast<ptrdiff_t>(found->second.size());
}

void peer_tbb_set(peer_tbb *map, const uint8_t *key, size_t key_length, const uint8_t *value, size_t value_length) {
    peer_tbb::Map::accessor entry;
    map->map.insert(entry, peers::view(key, key_length));
    entry->second.assign(reinterpret_cast<const char *>(value), value_length);
}

bool peer_tbb_delete(peer_tbb *map, const uint8_t *key, size_t key_length) {
    return map->map.erase(peers::view(key, key_length));
}

size_t peer_tbb_count(peer_tbb *map) { return map->map.size(); }
