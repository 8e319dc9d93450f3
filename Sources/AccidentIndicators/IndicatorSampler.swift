public import InstrumentedMaps
import Instruments

/// All maps at one sample, and what is known of them.
public struct IndicatorSample: Sendable {
    /// Sorted by name.
    public fileprivate(set) var maps: [MapGlance] = []
    /// By incarnation.
    public fileprivate(set) var readings: [UInt64: IndicatorReading] = [:]
    /// Monotonic time.
    public fileprivate(set) var nanoseconds: UInt64 = 0
}

/// The indicators of one process: one thread samples each second, scrapes read what it found.
///
/// Concurrency: any thread. A scrape waits for the copy of a dictionary, never for a sample being taken.
public final class IndicatorSampler: Sendable {
    private let tracker: LockedState<IndicatorTracker>
    private let latest = LockedState(IndicatorSample())
    private let lines: LockedState<[MapName: IndicatorLines]>

    /// `lines` are those of the maps that have their own.
    public init(lines: [MapName: IndicatorLines] = [:]) {
        self.lines = LockedState(lines)
        tracker = LockedState(IndicatorTracker(lines: lines))
    }

    /// Takes one sample of each map; to be called each second with monotonic time.
    public func sample(_ maps: [MapGlance], atNanoseconds now: UInt64) {
        let readings = tracker.withLock { tracker in
            tracker.sample(maps, atNanoseconds: now)
            return tracker.readings
        }
        latest.withLock { $0 = IndicatorSample(maps: maps, readings: readings, nanoseconds: now) }
    }

    /// What the last sample showed, by incarnation; a map that came since is missing.
    public var readings: [UInt64: IndicatorReading] { sample.readings }

    /// The last sample as a whole; without maps before the first.
    public var sample: IndicatorSample { latest.withLock { $0 } }

    /// The lines of a map.
    public func lines(of map: MapName) -> IndicatorLines { lines.withLock { $0[map] } ?? IndicatorLines() }

    /// Sets the lines of maps that are about to come.
    public func add(lines new: [MapName: IndicatorLines]) {
        lines.withLock { $0.merge(new) { $1 } }
        tracker.withLock { $0.add(lines: new) }
    }

    /// The last 120 s of a map; nil before its first sample.
    public func window(of incarnation: UInt64) -> MapWindow? { tracker.withLock { $0.window(of: incarnation) } }

    /// When the maintenance cycle under way began, in monotonic time; nil before the first sample.
    public var cycleBegan: UInt64? { tracker.withLock { $0.cycleBegin } }
}
