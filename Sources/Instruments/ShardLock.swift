public import Glibc

// The lock of one shard: exclusive, try first, counted.
//
// Not `Synchronization.Mutex`: with more threads than cores it takes 13–29 µs an operation where pthread takes 40 ns
// (swiftlang/swift#88440), and ThreadSanitizer reports false races under it. pthread parks in the kernel, is known to
// every sanitizer and profiler, and costs 10 ns when nobody else is there.
//
//     lock ──trylock──▶ held                 (one cell bumped, no clock)
//        └─busy─▶ waiters += 1, clock, park ──▶ held, contended += 1, wait += t

/// A mutual exclusion lock that counts its acquisitions and clocks its waits.
///
/// Concurrency: any thread; not recursive; not fair beyond what pthread gives.
/// Cost: about 10 ns uncontended, two clock readings more when contended.
@safe
public struct ShardLock: ~Copyable, @unchecked Sendable {
    // Safety: the mutex lives at an address of its own for as long as this value, and pthread makes it thread safe.
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    /// What the lock has counted; its plain cells are bumped under the lock itself.
    public let meter = LockMeter()

    public init() {
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        let status = unsafe pthread_mutex_init(mutex, nil)
        precondition(status == 0, "pthread_mutex_init failed with errno \(status)")
        unsafe self.mutex = mutex
    }

    deinit {
        // Safety: nobody can hold the lock of a value that is being destroyed.
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Runs `body` while no other thread is inside this lock.
    @inlinable
    public borrowing func withLock<R: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> R
    ) throws(Failure) -> R {
        lock()
        defer { unlock() }
        return try body()
    }

    @inlinable
    borrowing func lock() {
        // Safety: the pointer is valid for the life of `self`; this thread does not hold the lock.
        if unsafe pthread_mutex_trylock(mutex) != 0 {
            let waited = meter.clockWait { unsafe _ = pthread_mutex_lock(mutex) }
            meter.contended.addExclusively()
            meter.waitNanoseconds.addExclusively(waited)
        }
        meter.acquired.addExclusively()
    }

    @inlinable
    borrowing func unlock() {
        // Safety: called exactly once after `lock()`, by the same thread.
        unsafe pthread_mutex_unlock(mutex)
    }
}
