import Synchronization

/// What the callbacks of all daemons of one server share.
///
/// Counters stand under one lock, taken twice per request and never around a handler or an observer.
final class ServerCore: Sendable {
    let handler: any HTTPHandler
    let limits: HTTPLimits
    let budget: BodyBudget
    private let observer: RequestObserver?
    private let counters = Monitor(HTTPStatistics())
    private let draining = Atomic<Bool>(false)

    init(handler: any HTTPHandler, limits: HTTPLimits, observer: RequestObserver?) {
        self.handler = handler
        self.limits = limits
        self.budget = BodyBudget(limit: limits.bodyBudget)
        self.observer = observer
    }

    /// Whether each answer should end its connection.
    var isDraining: Bool { draining.load(ordering: .acquiring) }

    func beginDraining() {
        draining.store(true, ordering: .releasing)
    }

    var statistics: HTTPStatistics {
        counters.withLock { $0 }
    }

    func connectionOpened() {
        counters.withLock {
            $0.openConnections += 1
            $0.acceptedConnections += 1
        }
    }

    func connectionClosed() {
        counters.withLock { $0.openConnections -= 1 }
    }

    func requestBegan() {
        counters.withLock { $0.requestsInFlight += 1 }
    }

    func requestRefused(_ reason: RefusalReason) {
        counters.withLock { $0.refused[reason, default: 0] += 1 }
    }

    /// Ends a request; `finished` is nil when it got no answer. Observed first, so that a drain waits for it too.
    func requestEnded(_ finished: FinishedRequest?) {
        if let finished { observer?(finished) }
        counters.withLock {
            $0.requestsInFlight -= 1
            if let finished {
                $0.requests[RequestLabels(handler: finished.handler, status: finished.status), default: 0] += 1
            }
        }
    }

    /// Waits until no request is in flight; false when `deadline` came first.
    func waitUntilIdle(deadline: UInt64) -> Bool {
        counters.wait(until: deadline) { $0.requestsInFlight == 0 }
    }
}
