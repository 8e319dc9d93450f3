// The connections that are open, who they belong to, and whether one more is let in.
//
// Why not libmicrohttpd's limits: at them it stops accepting, so that a client hangs in the kernel's queue until it
// gives up, and at its limit per address it closes without a word. Here a connection over a limit is accepted, told 503
// with Retry-After, and ended; only past a reserve of such connections is it shut at once.
//
// Bounds: one lock, held for a lookup or two when a connection begins or ends, and for a reference when the reaper takes
// its look; the reaper walks that copy without the lock.

final class ConnectionTable: Sendable {
    /// What is done with a new connection.
    enum Admission: Equatable {
        case admit
        /// Its requests are answered with 503.
        case refuse(RefusalReason)
        /// It is shut at once: more are being refused than there is room for.
        case shut(RefusalReason)
    }

    private struct State: Sendable {
        var open: [ObjectIdentifier: Connection] = [:]
        var perAddress: [PeerKey: Int] = [:]
    }

    /// Connections over the limit that are kept until they have been told so.
    static let reserve = 256

    private let limit: Int
    private let limitPerAddress: Int
    private let state = Monitor(State())

    init(_ limits: HTTPLimits) {
        limit = limits.connections
        limitPerAddress = limits.connectionsPerAddress
    }

    /// Decides on a connection from `peer`, then lists what `make` makes of the decision.
    func open(from peer: PeerKey?, _ make: (Admission) -> Connection) -> (Connection, Admission) {
        state.withLock { state in
            let admission = admission(of: peer, in: state)
            let connection = make(admission)
            state.open[ObjectIdentifier(connection)] = connection
            if let peer { state.perAddress[peer, default: 0] += 1 }
            return (connection, admission)
        }
    }

    func close(_ connection: Connection) {
        connection.close()
        state.withLock { state in
            state.open[ObjectIdentifier(connection)] = nil
            guard let peer = connection.peerKey, let count = state.perAddress[peer] else { return }
            state.perAddress[peer] = count > 1 ? count - 1 : nil
        }
    }

    /// Those that are open now, in no order.
    var all: Dictionary<ObjectIdentifier, Connection>.Values {
        state.withLock { $0.open.values }
    }

    private func admission(of peer: PeerKey?, in state: State) -> Admission {
        if state.open.count >= limit + Self.reserve { return .shut(.connectionLimit) }
        if state.open.count >= limit { return .refuse(.connectionLimit) }
        if let peer, !peer.isLoopback, limitPerAddress > 0 {
            let count = state.perAddress[peer] ?? 0
            if count >= limitPerAddress + Self.reserve { return .shut(.addressLimit) }
            if count >= limitPerAddress { return .refuse(.addressLimit) }
        }
        return .admit
    }
}
