import Foundation
import Synchronization

/// Nanoseconds of the kernel's monotonic clock.
@inlinable
public func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

/// Nanoseconds that this thread has been running.
@inlinable
public func threadNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

/// What the threads of one run returned, in their order, and how long the run took.
public struct ThreadRun<Output: Sendable>: Sendable {
    public let outputs: [Output]
    /// From the first thread's start to the last one's end, by the threads' own clocks: the thread that waits for them
    /// may be scheduled late.
    public let seconds: Double
    /// The mean over the threads of the time that they were running: what stands when others use the machine, but not
    /// what waiting for each other costs.
    public let runningSeconds: Double
}

/// Runs `body` on so many threads at once, each with its number, and waits for all.
///
/// The threads meet at a barrier first, so that none is timed while others are still being made.
public func onThreads<Output: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (_ thread: Int) -> Output
) -> ThreadRun<Output> {
    let barrier = Barrier(count)
    let results = Results<Output>()
    let group = DispatchGroup()
    for number in 0..<count {
        group.enter()
        let thread = Thread {
            barrier.wait()
            let start = monotonicNanoseconds()
            let before = threadNanoseconds()
            let output = body(number)
            let running = threadNanoseconds() - before
            let end = monotonicNanoseconds()
            results.add(number, output, start, end, running)
            group.leave()
        }
        thread.start()
    }
    group.wait()
    return results.run
}

private final class Results<Output: Sendable>: Sendable {
    private struct Entry: Sendable {
        let number: Int
        let output: Output
        let start: UInt64
        let end: UInt64
        let running: UInt64
    }

    private let entries = Mutex<[Entry]>([])

    func add(_ number: Int, _ output: Output, _ start: UInt64, _ end: UInt64, _ running: UInt64) {
        entries.withLock {
            $0.append(Entry(number: number, output: output, start: start, end: end, running: running))
        }
    }

    var run: ThreadRun<Output> {
        let entries = entries.withLock { $0 }.sorted { $0.number < $1.number }
        let start = entries.map(\.start).min() ?? 0
        let end = entries.map(\.end).max() ?? 0
        let running = entries.reduce(0) { $0 + Double($1.running) / 1e9 }
        return ThreadRun(
            outputs: entries.map(\.output), seconds: Double(end - start) / 1e9,
            runningSeconds: running / Double(entries.count))
    }
}

/// A pthread barrier: threads sleep there, where a spinning gate would take the cores from those still being made.
private final class Barrier: Sendable {
    // Safety: initialised once, then only passed to pthread functions, which are made for several threads.
    nonisolated(unsafe) private let barrier = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)

    init(_ count: Int) { pthread_barrier_init(barrier, nil, UInt32(count)) }

    deinit {
        pthread_barrier_destroy(barrier)
        barrier.deallocate()
    }

    func wait() { pthread_barrier_wait(barrier) }
}
