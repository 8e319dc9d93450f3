// The thread that ends connections which take too long.
//
// It walks all connections ten times a second; `shutdown(fd)` makes a connection's worker see it closed and clean up,
// which only the worker may do. Once a second it also looks at idle connections, one system call each.
//
// Bounds: at most 20 connections are ended in one go, then the workers get 4 ms, so that ending thousands at once does
// not keep a scrape waiting behind them: 5,000 a second. A walk over 10,000 connections takes well under a millisecond,
// and goes on where it paused: begun anew after each pause it would make the table copy itself each time.

import Glibc
import Synchronization

/// Ends the connections of one server that are past their deadlines, on a thread of its own, until it is stopped.
final class Reaper: Sendable {
    private static let interval: UInt64 = 100_000_000
    private static let pause: UInt64 = 4_000_000
    private static let batch = 20
    private static let inspectionInterval: UInt64 = 1_000_000_000

    private let core: ServerCore
    private let isStopping = Monitor(false)
    private let thread = Mutex<pthread_t?>(nil)

    init(core: ServerCore) {
        self.core = core
    }

    /// Starts the thread; without one, in want of memory, deadlines do not hold and the server serves all the same.
    func start() {
        var started = pthread_t()
        // Safety: the thread takes the one reference that is retained here.
        let reference = unsafe Unmanaged.passRetained(self)
        let status = unsafe pthread_create(
            &started, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Reaper>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, reference.toOpaque())
        if status == 0 { thread.withLock { $0 = started } } else { unsafe reference.release() }
    }

    /// Ends the thread and waits for it.
    func stop() {
        isStopping.withLock { $0 = true }
        let started = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let started { pthread_join(started, nil) }
    }

    private func run() {
        var nextInspection = core.now()
        repeat {
            let inspects = core.now() >= nextInspection
            if inspects { nextInspection = core.now() &+ Self.inspectionInterval }
            if !walk(inspectsIdle: inspects) { return }
        } while !isStopping.wait(until: monotonicNow() + Self.interval, for: { $0 })
    }

    /// Walks all connections once, with pauses where many are ended; false when it is to stop.
    private func walk(inspectsIdle: Bool) -> Bool {
        var ended = 0
        var now = core.now()
        for connection in core.connections.all {
            if let phase = connection.overduePhase(at: now) {
                connection.shutDown { if let reason = phase.timeout { core.requestRefused(reason) } }
                ended += 1
                guard ended % Self.batch == 0 else { continue }
                if isStopping.wait(until: monotonicNow() + Self.pause, for: { $0 }) { return false }
                now = core.now()
            } else if inspectsIdle, connection.inspectIdle(at: now, headDeadline: core.deadlines.head(from: now)) {
                connection.shutDown()
            }
        }
        return true
    }
}
