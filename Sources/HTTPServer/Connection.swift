// One connection, from libmicrohttpd's notice of its start to that of its end, and how long it may take for what it is
// doing.
//
//     accepted ─► head ─► body ─► handling ─► responding ─► idle ─► head …
//                  5 s     5 s +               5 s +         120 s
//                          bytes / rate        bytes / rate
//
// Why deadlines of our own: libmicrohttpd's timeout is for inactivity, so that one byte a minute holds a connection for
// ever. Each deadline here is absolute; only bytes of a body move one, and by less time than they may take.
//
// Concurrency: the worker of the connection writes `state`, the reaper reads it and may exchange what it has read.
// `isOpen` is held while the reaper shuts the descriptor down and while the end is noted, which libmicrohttpd reports
// before it closes the descriptor: so it is never somebody else's.

import CMicrohttpd
import Glibc
import Synchronization

/// What a connection is doing.
enum ConnectionPhase: UInt64, CaseIterable {
    case head, body, handling, responding, idle

    /// The reason under which a connection is counted that took too long for it.
    var timeout: RefusalReason? {
        switch self {
        case .head: .headTimeout
        case .body: .bodyTimeout
        case .handling: nil
        case .responding: .responseTimeout
        case .idle: .idleTimeout
        }
    }
}

/// A connection that is open, or was.
final class Connection: Sendable {
    let descriptor: Int32
    /// The client's numeric address; "" where there is none.
    let peerAddress: String
    let peerKey: PeerKey?
    /// What its session uses, kept for as long.
    private let tls: TLSCredentials?
    /// Why its requests are answered with 503; nil for a connection that was let in.
    let refusal: RefusalReason?
    private let isOpen = Mutex(true)
    /// The deadline in nanoseconds, its low three bits replaced by the phase.
    private let state: Atomic<UInt64>
    private let idleSince = Atomic<UInt64>(0)

    init(
        descriptor: Int32, peer: (address: String, key: PeerKey?), tls: TLSCredentials?, refusal: RefusalReason?,
        headDeadline: UInt64
    ) {
        self.tls = tls
        self.descriptor = descriptor
        self.peerAddress = peer.address
        self.peerKey = peer.key
        self.refusal = refusal
        state = Atomic(Self.packed(.head, headDeadline))
    }

    /// Begins a phase that must have ended at `deadline`.
    func enter(_ phase: ConnectionPhase, until deadline: UInt64) {
        state.store(Self.packed(phase, deadline), ordering: .relaxed)
    }

    /// The request line has come: the rest of the head is due, unless this is the first request, for which it is already.
    func enterHead(until deadline: UInt64) {
        if Self.phase(state.load(ordering: .relaxed)) != .head { enter(.head, until: deadline) }
    }

    /// Nothing is asked for at the moment.
    func enterIdle(at now: UInt64, until deadline: UInt64) {
        idleSince.store(now, ordering: .relaxed)
        enter(.idle, until: deadline)
    }

    /// The phase whose deadline has passed.
    func overduePhase(at now: UInt64) -> ConnectionPhase? {
        let value = state.load(ordering: .relaxed)
        return now >= value & ~7 ? Self.phase(value) : nil
    }

    /// Looks at an idle connection for what libmicrohttpd does not tell: that the client has closed its side, after which
    /// none can be asked for, and that bytes of a next head have come, which then has to end by `headDeadline`.
    ///
    /// Returns whether the client has closed. One system call when idle.
    func inspectIdle(at now: UInt64, headDeadline: UInt64) -> Bool {
        let value = state.load(ordering: .relaxed)
        guard Self.phase(value) == .idle else { return false }
        var milliseconds: UInt32 = 0
        // Safety: the call writes the local that it is given. The descriptor may be gone: then it fails or tells of
        // another connection, whose answer cannot be exchanged into a state that has moved on.
        let tcpState = unsafe cmhd_tcp_state(descriptor, &milliseconds)
        guard tcpState >= 0 else { return false }
        if tcpState == CMHD_TCP_CLOSE_WAIT { return true }
        // The kernel counts in ticks of up to 10 ms.
        let slack: UInt64 = 20_000_000
        let lastByte = now &- UInt64(milliseconds) * 1_000_000
        if lastByte > idleSince.load(ordering: .relaxed) &+ slack, lastByte <= now {
            _ = state.compareExchange(
                expected: value, desired: Self.packed(.head, headDeadline), ordering: .relaxed)
        }
        return false
    }

    /// Ends the connection from outside of its worker, which then sees it closed, unless it has ended already.
    ///
    /// `count` is called first, so that whoever sees the end finds it counted.
    func shutDown(_ count: () -> Void = {}) {
        isOpen.withLock { isOpen in
            guard isOpen else { return }
            count()
            // Once is enough; the worker needs a moment to notice.
            state.store(Self.packed(.handling, .max), ordering: .relaxed)
            _ = shutdown(descriptor, Int32(SHUT_RDWR))
        }
    }

    /// The end, noted before the descriptor is closed.
    func close() {
        isOpen.withLock { $0 = false }
    }

    private static func packed(_ phase: ConnectionPhase, _ deadline: UInt64) -> UInt64 {
        deadline & ~7 | phase.rawValue
    }

    private static func phase(_ value: UInt64) -> ConnectionPhase {
        ConnectionPhase(rawValue: value & 7) ?? .handling
    }
}
