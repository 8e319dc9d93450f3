import Glibc

/// A thread that nobody joins.
package enum DetachedThread {
    /// Runs `body` on a thread of its own, or here when the system has none left.
    package static func run(_ body: @escaping @Sendable () -> Void) {
        if !start(body) { body() }
    }

    /// Runs `body` on a thread of its own; false when the system has none left.
    package static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let box = unsafe Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        // Safety: the thread takes over the one reference that is passed; it is taken back when there is no thread.
        let status = unsafe pthread_create(&thread, nil, threadBegan, box.toOpaque())
        guard status == 0 else {
            unsafe box.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}

private final class Body: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Why a top-level function: a closure could be inferred to be isolated, and then traps on a thread of its own.
private func threadBegan(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    // Safety: the reference that `run` has passed.
    let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
    body.run()
    return nil
}
