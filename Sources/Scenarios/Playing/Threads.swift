import Glibc
import Instruments

/// Threads that are waited for: lanes block, so they must not take the few of Swift's own pool.
package enum Threads {
    /// Runs `body` once a number below `count`, each on a thread of its own but the first, which runs here; returns when
    /// all have ended, with the first error that one of them threw.
    package static func run(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        let failure = LockedState<(any Error)?>(nil)
        let guarded: @Sendable (Int) -> Void = { number in
            do { try body(number) } catch { failure.withLock { $0 = $0 ?? error } }
        }
        let threads = (1..<max(1, count)).map { number in start { guarded(number) } }
        guarded(0)
        for thread in threads { thread.map { _ = pthread_join($0, nil) } }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Nil when the system has no thread left; then `body` has run here.
    private static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
        let box = unsafe Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        // Safety: the thread takes over the one reference that is passed; it is taken back when there is no thread.
        let status = unsafe pthread_create(&thread, nil, threadBegan, box.toOpaque())
        guard status == 0 else {
            unsafe box.release()
            body()
            return nil
        }
        return thread
    }
}

private final class Body: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Why a top-level function: a closure could be inferred to be isolated, and then traps on a thread of its own.
private func threadBegan(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    // Safety: the reference that `start` has passed.
    let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
    body.run()
    return nil
}
