import AccidentIndicators
import Incidents
import MapwatchServer
import ServiceLifecycle

/// Looks for signatures each second, and writes what waits to be written, on a thread of its own for each write: a disk
/// may be slow, and the few threads of the tasks serve others too.
struct IncidentService: Service {
    let reporter: IncidentReporter
    let sampler: IndicatorSampler
    let wakes: AsyncStream<Void>
    /// Ends `wakes`.
    let finish: @Sendable () -> Void

    func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await watch() }
                for await _ in wakes { await drain() }
                group.cancelAll()
            }
            // What came while the last ones were being written.
            await drain()
        } onGracefulShutdown: {
            finish()
        }
    }

    private func watch() async {
        while !Task.isCancelled {
            reporter.watch(sampler.sample)
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func drain() async {
        await withCheckedContinuation { continuation in
            DetachedThread.run {
                reporter.drain()
                continuation.resume()
            }
        }
    }
}
