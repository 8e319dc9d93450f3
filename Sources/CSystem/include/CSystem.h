// The few C lines that Swift's Glibc module does not offer. Nothing here knows a map or a socket.
#ifndef MAPWATCH_CSYSTEM_H
#define MAPWATCH_CSYSTEM_H

#include <stddef.h>

/// The bytes that a heap block really offers: what was asked for, rounded to the allocator's size class.
/// `block` must come from malloc and must not have been freed.
size_t mapwatch_usable_size(void *block);

/// The bytes that the allocator has handed out and not got back, over all arenas and mapped blocks.
/// Walks every arena under its lock: for tests, not for a scrape.
size_t mapwatch_allocator_bytes_in_use(void);

/// Asks the processor to fetch the line at `address`; a hint that never faults.
static inline void mapwatch_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
