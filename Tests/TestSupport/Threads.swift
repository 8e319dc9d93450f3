import Synchronization
import Glibc

/// Real threads for tests of what threads share. Nothing here sleeps: waiting is yielding until a condition holds.
public final class ThreadGroup: Sendable {
    private final class Task: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private let threads = Mutex<[pthread_t]>([])

    public init() {}

    /// Starts one more thread; ``join()`` must follow.
    public func start(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        // Safety: the thread takes the one reference that is retained here.
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Task>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Task(body)).toOpaque())
        precondition(status == 0, "pthread_create failed with errno \(status)")
        threads.withLock { $0.append(thread) }
    }

    /// Waits until all threads have ended.
    public func join() {
        let started = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in started { pthread_join(thread, nil) }
    }

    /// Runs `body` on `count` threads, each with its number, and returns when all have ended.
    public static func run(_ count: Int, _ body: @escaping @Sendable (_ thread: Int) -> Void) {
        let group = ThreadGroup()
        for index in 0..<count { group.start { body(index) } }
        group.join()
    }
}

/// Yields until `condition` holds; false when that takes longer than half a minute, so that a test fails instead of
/// hanging.
public func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(30)
    while !condition() {
        if ContinuousClock.now > deadline { return false }
        sched_yield()
    }
    return true
}

/// A flag that one thread raises and others see.
public final class Flag: Sendable {
    private let raised = Atomic<Bool>(false)

    public init() {}

    public var isRaised: Bool { raised.load(ordering: .acquiring) }

    public func raise() { raised.store(true, ordering: .releasing) }
}

/// Counts those who have come.
public final class Tally: Sendable {
    private let count = Atomic<Int>(0)

    public init() {}

    public var value: Int { count.load(ordering: .acquiring) }

    @discardableResult
    public func add(_ amount: Int = 1) -> Int {
        count.wrappingAdd(amount, ordering: .acquiringAndReleasing).newValue
    }
}
