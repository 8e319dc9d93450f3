// The few C lines that Swift's Glibc module does not offer. Nothing here knows a map or a socket.
#ifndef MAPWATCH_CSYSTEM_H
#define MAPWATCH_CSYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The bytes that a heap block really offers: what was asked for, rounded to the allocator's size class.
/// `block` must come from malloc and must not have been freed.
size_t mapwatch_usable_size(void *block);

/// The bytes that the allocator has handed out and not got back, over all arenas and mapped blocks.
/// Walks every arena under its lock: for tests, not for a scrape.
size_t mapwatch_allocator_bytes_in_use(void);

/// Of 65,536 requests of this thread for memory of a table, how many are refused: 0, unless a test brings them about.
extern _Thread_local uint32_t mapwatch_refusal_share __attribute__((tls_model("initial-exec")));

/// Refuses this thread's requests by chance from now on, `share` of 65,536, in the order that `seed` repeats; 0 ends it.
void mapwatch_refuse_memory(uint32_t share, uint64_t seed);

/// Draws whether a request is refused.
bool mapwatch_draw_refusal(void);

/// Whether to act as if the system had no memory. Asked where memory is really taken, so about once per 64 KiB.
static inline bool mapwatch_is_memory_refused(void) {
    return __builtin_expect(mapwatch_refusal_share != 0, 0) && mapwatch_draw_refusal();
}

/// Sleeps while the word at `address` is `expected`, until somebody wakes it, at most `nanoseconds`; may return early.
void mapwatch_futex_wait(const void *address, uint32_t expected, uint64_t nanoseconds);

/// Wakes one thread that sleeps at `address`.
void mapwatch_futex_wake_one(const void *address);

/// The kernel's monotonic clock as of its last tick, in nanoseconds. Here, so that an operation which asks for it has no
/// variable on its stack that others write: that would bring a guard word and its checks.
uint64_t mapwatch_coarse_nanoseconds(void);

/// How many operations of this thread still go untimed; 0 before the first.
extern _Thread_local int32_t mapwatch_sampling_countdown __attribute__((tls_model("initial-exec")));

/// Draws the next countdown, one operation in 64 on the average, and says whether one was running, which has ended.
bool mapwatch_sampling_restart(void);

/// Counts an operation. False when the countdown had ended before it, or none was running: then it is to be restarted.
/// Costs a decrement in memory, the sign of which tells; without the sign's wrapping the compiler would compare instead.
static inline bool mapwatch_sampling_counts_on(void) {
    mapwatch_sampling_countdown = (int32_t)((uint32_t)mapwatch_sampling_countdown - 1);
    return mapwatch_sampling_countdown >= 0;
}

/// Whether this operation is to be timed: one in 64 of each thread, at distances that no pattern of operations follows.
static inline bool mapwatch_sampling_is_due(void) {
    return __builtin_expect(!mapwatch_sampling_counts_on(), 0) && mapwatch_sampling_restart();
}

/// The name under which this thread does operations; 0 for none.
extern _Thread_local uint32_t mapwatch_caller __attribute__((tls_model("initial-exec")));

static inline uint32_t mapwatch_current_caller(void) { return mapwatch_caller; }
static inline void mapwatch_set_caller(uint32_t caller) { mapwatch_caller = caller; }

/// Where this thread notes that an operation was refused; NULL where none can be.
extern _Thread_local void *mapwatch_this_refusal_scope __attribute__((tls_model("initial-exec")));

static inline void *mapwatch_refusal_scope(void) { return mapwatch_this_refusal_scope; }
static inline void mapwatch_set_refusal_scope(void *scope) { mapwatch_this_refusal_scope = scope; }

/// The kernel's number of this thread; asked for once a thread.
extern _Thread_local uint32_t mapwatch_known_thread_id __attribute__((tls_model("initial-exec")));
uint32_t mapwatch_ask_thread_id(void);

static inline uint32_t mapwatch_thread_id(void) {
    return __builtin_expect(mapwatch_known_thread_id != 0, 1) ? mapwatch_known_thread_id : mapwatch_ask_thread_id();
}

/// Tells the processor that this thread spins.
static inline void mapwatch_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// Lets other threads run.
void mapwatch_yield(void);

/// Asks the processor to fetch the cache line of `address`, which may be any: nothing is read, and nothing can fail.
static inline void mapwatch_prefetch(const void *address) { __builtin_prefetch(address); }

/// The same for a line that will be written, so that no other core has it any more.
static inline void mapwatch_prefetch_to_write(const void *address) {
#if defined(__x86_64__)
    // The compiler's own builtin asks for a copy to read unless it is told that every processor has this one; they do.
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
#else
    __builtin_prefetch(address, 1);
#endif
}

/// The same address, of which the compiler does not know how it came about: it keeps the one register, and not the two or
/// three to work it out again.
static inline void *mapwatch_one_address(void *address) {
    __asm__("" : "+r"(address));
    return address;
}

/// Copies `count` bytes if they fit into `room`, by a count that may still be on its way from memory.
///
/// `memcpy` computes addresses from the count, and as long as a processor does not know where a store goes, it holds back
/// loads behind it: those of the next operation too (60 ns of 210 for a map of 128 MB). Who reads values of one length
/// has just the room for one: then the count is compared, which is guessed, and no address depends on it.
static inline void mapwatch_copy(void *to, size_t room, const void *from, size_t count) {
    size_t known = room;
    // The compiler must not know that this is the same number: it would take `count` where they are equal.
    __asm__("" : "+r"(known));
    if (count == room) {
        __builtin_memcpy(to, from, known);
    } else if (count > 0 && count < room) {
        __builtin_memcpy(to, from, count);
    }
}

// Two looks at four index words, the upper halves of which are places. No branch depends on a word, so the processor goes on
// past words that are still on their way from memory: a loop that stops at the right word is guessed wrong for every third
// key, and what was begun after it is thrown away.

#if defined(__SSE2__)
typedef uint32_t mapwatch_lanes __attribute__((vector_size(16), aligned(8), may_alias));
typedef int32_t mapwatch_numbers __attribute__((vector_size(16)));
typedef float mapwatch_bits __attribute__((vector_size(16)));

static inline mapwatch_lanes mapwatch_places(const uint64_t *words) {
    const mapwatch_lanes *pairs = (const mapwatch_lanes *)words;
    return __builtin_shufflevector(pairs[0], pairs[1], 1, 3, 5, 7);
}
#endif

/// Which of the four words are of `place`: bits 0…3.
static inline uint32_t mapwatch_words_of(const uint64_t *words, uint32_t place) {
#if defined(__SSE2__)
    return (uint32_t)__builtin_ia32_movmskps((mapwatch_bits)(mapwatch_places(words) == place));
#else
    uint32_t found = 0;
    for (unsigned index = 0; index < 4; index++) found |= (uint32_t)((uint32_t)(words[index] >> 32) == place) << index;
    return found;
#endif
}

/// Which of the four words end the words of `place`: they are empty or of a larger place. Bits 0…3.
static inline uint32_t mapwatch_words_behind(const uint64_t *words, uint32_t place) {
#if defined(__SSE2__)
    // Numbers are compared with their sign: so half of the range lower, and one less, which makes 0 the largest.
    const uint32_t lower = 0x80000001u;
    mapwatch_numbers places = (mapwatch_numbers)(mapwatch_places(words) - lower);
    return (uint32_t)__builtin_ia32_movmskps((mapwatch_bits)(places > (int32_t)(place - lower)));
#else
    uint32_t found = 0;
    for (unsigned index = 0; index < 4; index++)
        found |= (uint32_t)((uint32_t)(words[index] >> 32) - 1 >= place) << index;
    return found;
#endif
}

#endif
