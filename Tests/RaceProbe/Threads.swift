import Glibc

/// Threads of the kernel, without a runtime in between that could order what they do.
enum Threads {
    private final class Work {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a thread; ``pthread_join`` must follow.
    static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t {
        var thread = pthread_t()
        // Safety: the thread takes the one reference that is retained here.
        let argument = unsafe Unmanaged.passRetained(Work(body)).toOpaque()
        let status = unsafe pthread_create(&thread, nil, { unsafe Threads.enter($0) }, argument)
        precondition(status == 0, "pthread_create failed with errno \(status)")
        return thread
    }

    private static func enter(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let argument = unsafe argument { unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
    }
}
