public import CSystem
public import Glibc

/// Nanoseconds that only ever grow, from the kernel's monotonic clock (22 ns a call).
///
/// Locks read it directly, and only once they have to wait; whatever decides by time is handed its instants from above,
/// so that a test can say what time it is.
public enum MonotonicClock {
    /// Nanoseconds since an arbitrary start, the same for all threads of the process.
    @inlinable public static func nanoseconds() -> UInt64 {
        var time = timespec()
        // Safety: the call only writes the local `time`.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// The same clock as of the kernel's last tick, up to 10 ms ago (3 ns a call).
    @inlinable
    @inline(__always)
    public static func coarseNanoseconds() -> UInt64 { mapwatch_coarse_nanoseconds() }

    /// When an instant of this clock was, in nanoseconds since 1970. The two clocks are compared once a process, so the same
    /// instant is always the same time, whatever is done to the wall clock later.
    public static func nanosecondsSince1970(of instant: UInt64) -> UInt64 { instant &+ wallClockAhead }

    private static let wallClockAhead: UInt64 = {
        var time = timespec()
        // Safety: the call only writes the local `time`.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec) &- nanoseconds()
    }()
}
