import InstrumentedMaps
import Scenarios
import ServiceLifecycle

/// Plays the demo workload on hosted maps until the process ends.
struct DemoService: Service {
    let workload: DemoWorkload

    func run() async throws {
        await cancelWhenGracefulShutdown { await workload.run() }
    }
}
