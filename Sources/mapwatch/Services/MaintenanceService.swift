import InstrumentedMaps
import ServiceLifecycle

/// Does once a second what nobody waits for: ends listings whose time is over, tidies the maps' memory.
struct MaintenanceService: Service {
    /// Moves a second: at some 100 ns each 2 % of a core at the most, and a million records within ten seconds.
    static let movesPerSecond = 200_000

    let host: MapHost
    let listings: Listings

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                listings.expire()
                host.maintain(budget: MaintenanceService.movesPerSecond)
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }
}
