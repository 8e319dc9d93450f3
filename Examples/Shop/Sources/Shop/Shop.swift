import InstrumentedMaps
import Logging
import MapwatchMetrics
import MapwatchServer
import Metrics
import ServiceLifecycle

/// A service with a map of its own: customers order and pay, a hundred a second.
struct Shop: Service {
    let orders: ShardedMap<Int, Order>
    let ordered = Counter(label: "shop.ordered", dimensions: [("country", "pt")])
    let payment = Timer(label: "shop.payment")

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for number in 0... where !Task.isCancelled {
                orders.store(number, Order(cents: 100 + number % 900))
                ordered.increment()
                let clock = ContinuousClock()
                payment.record(duration: clock.measure { orders.update(number / 2) { $0?.isPaid = true } })
                guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { return }
            }
        }
    }
}

struct Order: Sendable {
    var cents: Int
    var isPaid = false
}

@main
enum Main {
    static func main() async throws {
        let address = CommandLine.arguments.dropFirst().first ?? "127.0.0.1:10197"
        let logger = Logger(label: "shop")

        let orders = ShardedMap<Int, Order>("orders", shards: 64)  // any Hashable key, any Sendable value
        let metrics = ServiceMetrics()  // a back end for swift-metrics: its counters stand on the same page
        MetricsSystem.bootstrap(metrics)
        let server = try MetricsServer(maps: [orders], address: address, collectors: [metrics])
        logger.info("serving", metadata: ["url": "http://\(server.boundAddress)/metrics"])
        let services = ServiceGroup(
            services: [server, Shop(orders: orders)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await services.run()
    }
}
