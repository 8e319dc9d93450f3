// A value under a lock, with waiting for a condition on it.
//
// Why pthread: `Synchronization.Mutex` has no condition to wait on, and it collapses where threads outnumber cores,
// as the server's do. A drain waits here until the last request has ended, woken by that request and not by a clock.
//
// Bounds: the lock is held for a few counter updates, never around a handler, a system call or a callback.
// Rejected: polling with a sleep (late by half the interval, and a busy loop for the rest).

import Glibc

/// A monitor over `Value`; safe to share among threads, since the value is touched only under the lock.
///
/// Safety: the mutex and the condition live at fixed addresses on the heap from `init` to `deinit`, and nobody can
/// hold or await them in `deinit`, because whoever does holds a reference.
@safe
package final class Monitor<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var value: Value

    package init(_ value: sending Value) {
        self.value = value
        // Safety: both pointers are freshly allocated; the condition waits on the clock that `monotonicNow` reads.
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        // Safety: see the type.
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs `body` under the lock and wakes those who wait; without any, the waking costs no system call.
    package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        // Safety: see the type; lock and unlock are paired on this thread.
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        return body(&value)
    }

    /// Waits until `isReached` holds, at most until `deadline` (as `monotonicNow` counts); says whether it held.
    package func wait(until deadline: UInt64, for isReached: (Value) -> Bool) -> Bool {
        var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        // Safety: see the type; the condition's wait gives up the lock while it sleeps and has it again after.
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while !isReached(value) {
            if unsafe pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT {
                return isReached(value)
            }
        }
        return true
    }
}

/// Nanoseconds of the monotonic clock.
func monotonicNow() -> UInt64 {
    var time = timespec()
    // Safety: clock_gettime writes the struct that it is given.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
