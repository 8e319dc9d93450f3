/// What a map is asked to do, a second, over the last 5 s.
public struct MapRates: Sendable, Equatable {
    /// Samples over which rates are taken: short enough for an eye, long enough not to flicker.
    static let seconds: UInt64 = 5

    public fileprivate(set) var writes = 0.0
    public fileprivate(set) var deletes = 0.0
    public fileprivate(set) var loads = 0.0
    /// Seconds that callers waited for locks, a second.
    public fileprivate(set) var lockWaitSeconds = 0.0
    /// Contended acquisitions of locks among all; 0 without any.
    public fileprivate(set) var conflictRatio = 0.0

    /// Of a map that was not sampled twice yet.
    public init() {}
}

extension MapWindow {
    var rates: MapRates {
        guard let old = age(ofSecondsBack: MapRates.seconds) else { return MapRates() }
        let (begin, end) = (second(old), second(0))
        let seconds = Double(end.nanoseconds &- begin.nanoseconds) / 1e9
        var rates = MapRates()
        rates.writes = Double(end.writes &- begin.writes) / seconds
        rates.deletes = Double(end.deletes &- begin.deletes) / seconds
        rates.loads = Double(end.loads &- begin.loads) / seconds
        rates.lockWaitSeconds = Double(end.lockWaitNanoseconds &- begin.lockWaitNanoseconds) / 1e9 / seconds
        let acquired = end.lockAcquired &- begin.lockAcquired
        let contended = end.lockContended &- begin.lockContended
        rates.conflictRatio = acquired == 0 ? 0 : Double(contended) / Double(acquired)
        return rates
    }
}
