import ServiceLifecycle

/// Does once a second what nobody waits for: ends listings whose time is over.
struct MaintenanceService: Service {
    let listings: Listings

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                listings.expire()
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }
}
