import Glibc

/// A thread of its own for a blocking client: the few threads of the task pool are the tests' own.
final class TestThread {
    private let handle: pthread_t

    init(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var handle = pthread_t()
        // Safety: the box is retained here once and released by the thread once.
        let status = unsafe pthread_create(
            &handle, nil,
            { context in
                if let context = unsafe context {
                    unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                }
                return nil
            }, Unmanaged.passRetained(Box(body)).toOpaque())
        precondition(status == 0, "no thread could be made")
        self.handle = handle
    }

    /// Waits for its end; to be called once.
    func join() {
        _ = pthread_join(handle, nil)
    }
}
