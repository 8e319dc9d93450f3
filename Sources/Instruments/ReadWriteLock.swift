import CSystem
import Glibc

/// A lock that readers share and a writer has alone, with the same meter as ``ShardLock``.
///
/// Writers are preferred: a stream of readers must not starve a delete. Readers overlap, so every cell of the meter is
/// bumped with an atomic add; that add (9 ns, and a shared cache line) is the price that the articles' `RWMutex` row
/// pays too.
///
/// Concurrency: any thread; neither side is recursive. Cost: about 20 ns uncontended.
@safe
public struct ReadWriteLock: ~Copyable, @unchecked Sendable {
    // Safety: the lock lives at an address of its own for as long as this value, and pthread makes it thread safe.
    private let rwlock: UnsafeMutablePointer<pthread_rwlock_t>
    /// What the lock has counted, readers and writers together.
    public let meter = LockMeter()

    public init() {
        let rwlock = UnsafeMutablePointer<pthread_rwlock_t>.allocate(capacity: 1)
        unsafe rwlock.initialize(to: pthread_rwlock_t())
        var attributes = pthread_rwlockattr_t()
        unsafe pthread_rwlockattr_init(&attributes)
        unsafe pthread_rwlockattr_setkind_np(
            &attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        let status = unsafe pthread_rwlock_init(rwlock, &attributes)
        precondition(status == 0, "pthread_rwlock_init failed with errno \(status)")
        unsafe pthread_rwlockattr_destroy(&attributes)
        unsafe self.rwlock = rwlock
    }

    deinit {
        // Safety: nobody can hold the lock of a value that is being destroyed.
        unsafe pthread_rwlock_destroy(rwlock)
        unsafe rwlock.deallocate()
    }

    /// Runs `body` while no other thread is inside this lock.
    public borrowing func withExclusiveLock<R: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> R
    ) throws(Failure) -> R {
        // Safety: the pointer is valid for the life of `self`; this thread does not hold the lock.
        if unsafe pthread_rwlock_trywrlock(rwlock) != 0 {
            countWait(
                meter.clockWait {
                    if !spin({ unsafe pthread_rwlock_trywrlock(rwlock) }) { unsafe _ = pthread_rwlock_wrlock(rwlock) }
                })
        }
        meter.acquired.add()
        defer { unsafe _ = pthread_rwlock_unlock(rwlock) }
        return try body()
    }

    /// Runs `body` while no writer is inside this lock; other readers may be.
    public borrowing func withSharedLock<R: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> R
    ) throws(Failure) -> R {
        // Safety: as above. A first try that fails may be a full reader count (EAGAIN) too: waiting is right for both.
        if unsafe pthread_rwlock_tryrdlock(rwlock) != 0 {
            countWait(
                meter.clockWait {
                    if spin({ unsafe pthread_rwlock_tryrdlock(rwlock) }) { return }
                    while unsafe pthread_rwlock_rdlock(rwlock) == EAGAIN {}
                })
        }
        meter.acquired.add()
        defer { unsafe _ = pthread_rwlock_unlock(rwlock) }
        return try body()
    }

    /// Tries again for a few microseconds before the thread goes to sleep: pthread parks at once, and two threads that
    /// wake each other by turns spend their time in the kernel.
    private borrowing func spin(_ attempt: () -> Int32) -> Bool {
        for _ in 0..<ReadWriteLock.spins {
            mapwatch_pause()
            if attempt() == 0 { return true }
        }
        return false
    }

    private static let spins = 64

    private borrowing func countWait(_ nanoseconds: UInt64) {
        meter.contended.add()
        meter.waitNanoseconds.add(nanoseconds)
    }
}
