import HTTPServer
import MapwatchServer
import Synchronization

/// The routes of the metrics listener: it only reads.
struct MetricsListener {
    let metrics: MetricsEndpoint
    let status: StatusEndpoint
    let telemetryPath: String
    let health: Health
    let reload: ReloadEndpoint

    /// What anybody may ask for.
    static let healthPaths: Set<String> = ["/-/healthy", "/-/ready"]

    func routes() -> [Route] {
        var routes = [
            Route(.get, telemetryPath, name: "metrics") { request, _ in metrics.answer(request) },
            Route(.get, "/api/v1/status", name: "status") { request, _ in status.answer(request) },
            Route(.get, "/-/healthy", name: "healthy") { _, _ in .text("mapwatch is healthy.\n") },
            Route(.get, "/-/ready", name: "ready") { _, _ in
                health.isReady
                    ? .text("mapwatch is ready.\n") : .text("mapwatch is starting or ending.\n", status: 503)
            },
        ]
        routes += reload.routes()
        if telemetryPath != "/" { routes += StatusPage.routes(telemetryPath: telemetryPath) }
        return routes
    }
}

/// Whether the daemon serves: false until its maps stand and both listeners are bound, and again while it drains.
final class Health: Sendable {
    private let ready = Atomic<Bool>(false)

    var isReady: Bool { ready.load(ordering: .relaxed) }

    func set(ready: Bool) { self.ready.store(ready, ordering: .relaxed) }
}
