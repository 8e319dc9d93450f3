/// When each phase of a connection has to be over; pure arithmetic on the monotonic clock's nanoseconds.
struct Deadlines: Sendable {
    private let limits: HTTPLimits

    init(_ limits: HTTPLimits) {
        self.limits = limits
    }

    /// Of a head whose connection was accepted, or whose request line came, at `now`.
    func head(from now: UInt64) -> UInt64 { now &+ nanoseconds(limits.headSeconds) }

    /// Of a connection that is over a limit and only gets to hear so.
    func refusedHead(from now: UInt64) -> UInt64 { now &+ nanoseconds(min(1, limits.headSeconds)) }

    /// Of a body that began at `start` and of which `received` bytes have come.
    func body(from start: UInt64, received: Int) -> UInt64 {
        start &+ nanoseconds(limits.bodySeconds + Double(received) / limits.minimumBytesPerSecond)
    }

    /// Of a response of `size` bytes that was handed over at `now`.
    func response(from now: UInt64, size: Int) -> UInt64 {
        now &+ nanoseconds(limits.responseSeconds + Double(size) / limits.minimumBytesPerSecond)
    }

    /// Of a connection on which nothing is asked for since `now`.
    func idle(from now: UInt64) -> UInt64 { now &+ nanoseconds(limits.idleSeconds) }

    /// At most 30 years, so that a deadline never wraps around.
    private func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(max(0, min(seconds, 1e9)) * 1e9) }
}
