import Synchronization

/// What the callbacks of all daemons of one server share.
///
/// Counters stand under one lock, taken twice per request and never around a handler or an observer.
final class ServerCore: Sendable {
    let handler: any HTTPHandler
    let access: AccessControl
    let limits: HTTPLimits
    let budget: BodyBudget
    let deadlines: Deadlines
    let connections: ConnectionTable
    /// Nanoseconds of a monotonic clock.
    let now: @Sendable () -> UInt64
    private let observer: RequestObserver?
    private let counters: Monitor<HTTPStatistics>
    private let draining = Atomic<Bool>(false)

    init(
        handler: any HTTPHandler, access: AccessControl, openPaths: Set<String>, limits: HTTPLimits,
        now: @escaping @Sendable () -> UInt64,
        observer: RequestObserver?
    ) {
        let counters = Monitor(HTTPStatistics())
        self.counters = counters
        self.access = access
        self.handler = GuardedHandler(inner: handler, access: access, openPaths: openPaths) { reason in
            counters.withLock { $0.refused[reason, default: 0] += 1 }
        }
        self.limits = limits
        self.budget = BodyBudget(limit: limits.bodyBudget)
        self.deadlines = Deadlines(limits)
        self.connections = ConnectionTable(limits)
        self.now = now
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

    /// Lists a connection that was accepted, and counts it as refused where it is over a limit.
    func connectionOpened(
        _ descriptor: Int32, from address: String, _ key: PeerKey?, _ tls: TLSCredentials?
    ) -> Connection {
        let (connection, admission) = connections.open(from: key) { admission in
            let refusal: RefusalReason? =
                switch admission {
                case .admit: nil
                case .refuse(let reason), .shut(let reason): reason
                }
            let began = now()
            return Connection(
                descriptor: descriptor, peer: (address, key), tls: tls, refusal: refusal,
                headDeadline: refusal == nil ? deadlines.head(from: began) : deadlines.refusedHead(from: began))
        }
        counters.withLock {
            $0.openConnections += 1
            $0.acceptedConnections += 1
            if let reason = connection.refusal { $0.refused[reason, default: 0] += 1 }
        }
        if case .shut = admission { connection.shutDown() }
        return connection
    }

    func connectionClosed(_ connection: Connection) {
        connections.close(connection)
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
                $0.durations.add(finished.nanoseconds)
            }
        }
    }

    /// Waits until no request is in flight; false when `deadline` came first.
    func waitUntilIdle(deadline: UInt64) -> Bool {
        counters.wait(until: deadline) { $0.requestsInFlight == 0 }
    }
}
