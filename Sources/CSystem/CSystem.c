#define _GNU_SOURCE
#include "CSystem.h"

#include <linux/futex.h>
#include <malloc.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

size_t mapwatch_usable_size(void *block) { return malloc_usable_size(block); }

size_t mapwatch_allocator_bytes_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

_Thread_local uint32_t mapwatch_refusal_share;
static _Thread_local uint64_t refusal_state;

void mapwatch_refuse_memory(uint32_t share, uint64_t seed) {
    mapwatch_refusal_share = share;
    refusal_state = seed;
}

bool mapwatch_draw_refusal(void) {
    // SplitMix64.
    uint64_t x = refusal_state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return (x & 0xffff) < mapwatch_refusal_share;
}

void mapwatch_futex_wait(const void *address, uint32_t expected, uint64_t nanoseconds) {
    struct timespec timeout = {.tv_sec = (time_t)(nanoseconds / 1000000000u),
                               .tv_nsec = (long)(nanoseconds % 1000000000u)};
    syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, expected, &timeout, NULL, 0);
}

void mapwatch_futex_wake_one(const void *address) {
    syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

uint64_t mapwatch_coarse_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

_Thread_local int32_t mapwatch_sampling_countdown;
static _Thread_local uint32_t sampling_state;

bool mapwatch_sampling_restart(void) {
    bool was_running = sampling_state != 0;
    // Where the thread's own memory lies tells threads apart.
    uint32_t x = sampling_state != 0 ? sampling_state : (uint32_t)((uintptr_t)&sampling_state >> 4) * 2654435761u | 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    sampling_state = x;
    mapwatch_sampling_countdown = (int32_t)(x % 127);
    return was_running;
}

_Thread_local uint32_t mapwatch_caller;
_Thread_local void *mapwatch_this_refusal_scope;
_Thread_local uint32_t mapwatch_known_thread_id;

uint32_t mapwatch_ask_thread_id(void) { return mapwatch_known_thread_id = (uint32_t)syscall(SYS_gettid); }

void mapwatch_yield(void) { sched_yield(); }
