import Instruments

/// A clock that stands until a test moves it.
final class ManualClock: Sendable {
    private let time = Counter()

    /// Begins a minute after the machine's start, as it were.
    init() { time.set(60_000_000_000) }

    /// To be handed to whoever wants the time.
    var nanoseconds: @Sendable () -> UInt64 { { self.time.value } }

    func advance(milliseconds: Int) { time.add(UInt64(milliseconds) * 1_000_000) }

    func advance(seconds: Int) { advance(milliseconds: seconds * 1_000) }
}
