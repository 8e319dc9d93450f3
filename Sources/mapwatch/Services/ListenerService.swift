import HTTPServer
import Logging
import ServiceLifecycle

/// One HTTP server in the life of the process: it serves already; this waits for the end and drains it.
struct ListenerService: Service {
    /// Seconds that requests in flight have left once the end is near.
    static let drainSeconds = 10.0

    let server: HTTPServer
    let logger: Logger
    let willDrain: @Sendable () -> Void

    func run() async throws {
        try? await gracefulShutdown()
        willDrain()
        let isComplete = await Task.detached { server.stop(within: ListenerService.drainSeconds) }.value
        logger.info(
            isComplete ? "drained" : "ended with requests in flight", metadata: ["listener": "\(server.name)"])
    }
}
