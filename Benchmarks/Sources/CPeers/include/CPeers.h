// The peers behind plain C: what a C++ service would use where mapwatch stands.
//
// How each subject copies, so that the comparison is fair: keys come as raw bytes and are copied only when a set inserts
// them; a set copies the value in; a get copies the value out into the caller's buffer, which must be large enough.
//
//     oneTBB, unordered_map   std::string inside (a 12-byte key needs no block of its own, a 100-byte value does);
//                             a get copies once, under the element's or the map's read lock
//     mapwatch                one block per entry; a get copies once, under the shard's lock
//     Dictionary              arrays inside; every operation makes an array of its key (its only interface), every set
//                             one of its value; a get retains the value under the lock and copies it after
//
// One call per operation, as Swift calls its own maps: some 1-2 ns.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// oneTBB's `tbb::concurrent_hash_map`.
typedef struct peer_tbb peer_tbb;

peer_tbb *_Nonnull peer_tbb_create(void);
void peer_tbb_destroy(peer_tbb *_Nonnull map);
/// The value's length after copying it to `value`; -1, and nothing is copied, when the key is absent.
ptrdiff_t peer_tbb_get(peer_tbb *_Nonnull map, const uint8_t *_Nonnull key, size_t key_length, uint8_t *_Nonnull value);
void peer_tbb_set(peer_tbb *_Nonnull map, const uint8_t *_Nonnull key, size_t key_length,
                  const uint8_t *_Nonnull value, size_t value_length);
/// False when the key was absent.
bool peer_tbb_delete(peer_tbb *_Nonnull map, const uint8_t *_Nonnull key, size_t key_length);
size_t peer_tbb_count(peer_tbb *_Nonnull map);

/// `std::unordered_map` behind one `std::shared_mutex`.
typedef struct peer_unordered peer_unordered;

peer_unordered *_Nonnull peer_unordered_create(void);
void peer_unordered_destroy(peer_unordered *_Nonnull map);
/// As `peer_tbb_get`.
ptrdiff_t peer_unordered_get(peer_unordered *_Nonnull map, const uint8_t *_Nonnull key, size_t key_length,
                             uint8_t *_Nonnull value);
void peer_unordered_set(peer_unordered *_Nonnull map, const uint8_t *_Nonnull key, size_t key_length,
                        const uint8_t *_Nonnull value, size_t value_length);
/// False when the key was absent.
bool peer_unordered_delete(peer_unordered *_Nonnull map, const uint8_t *_Nonnull key, size_t key_length);
size_t peer_unordered_count(peer_unordered *_Nonnull map);

/// Gives free memory back to the kernel, so that one measurement's heap is not the next one's.
void peer_trim_heap(void);

#ifdef __cplusplus
}
#endif
