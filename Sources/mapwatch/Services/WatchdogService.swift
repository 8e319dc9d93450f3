import ServiceLifecycle

/// Signs of life for the service manager, as often as it wants them; without a wish it only waits for the end.
///
/// The first service of the group, so that it ends last: a drain is no silence.
struct WatchdogService: Service {
    let manager: ServiceManager

    func run() async throws {
        guard let interval = manager.watchdogInterval else {
            try? await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                manager.notify(.alive)
                try? await Task.sleep(for: interval)
            }
        }
    }
}
