// The few C lines that Swift's Glibc module does not offer. Nothing here knows a map or a socket.
#ifndef MAPWATCH_CSYSTEM_H
#define MAPWATCH_CSYSTEM_H

#include <stddef.h>
#include <stdint.h>

/// The bytes that a heap block really offers: what was asked for, rounded to the allocator's size class.
/// `block` must come from malloc and must not have been freed.
size_t mapwatch_usable_size(void *block);

/// The bytes that the allocator has handed out and not got back, over all arenas and mapped blocks.
/// Walks every arena under its lock: for tests, not for a scrape.
size_t mapwatch_allocator_bytes_in_use(void);

/// Sleeps while the word at `address` is `expected`, until somebody wakes it, at most `nanoseconds`; may return early.
void mapwatch_futex_wait(const void *address, uint32_t expected, uint64_t nanoseconds);

/// Wakes one thread that sleeps at `address`.
void mapwatch_futex_wake_one(const void *address);

/// Tells the processor that this thread spins.
static inline void mapwatch_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
