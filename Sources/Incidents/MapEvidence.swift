import AccidentIndicators
import InstrumentedMaps

/// The same moment by both clocks: samples carry monotonic time, a Prometheus wants seconds since 1970.
struct Moment: Sendable {
    let nanoseconds: UInt64
    let secondsSince1970: Double

    /// A monotonic instant in milliseconds since 1970.
    func milliseconds(of instant: UInt64) -> UInt64 {
        let back = Double(Int64(bitPattern: nanoseconds &- instant)) / 1e9
        return UInt64(max(0, (secondsSince1970 - back) * 1000))
    }
}

/// What the indicators knew of one map when an incident was written down.
struct MapEvidence: Sendable {
    let map: MapGlance
    let reading: IndicatorReading
    let lines: IndicatorLines
    let moment: Moment
    /// The newest sample of `window` that `map` is.
    let newest: Int
    let window: MapWindow
    /// When the maintenance cycle under way began, monotonic.
    let cycleBegan: UInt64?

    /// The last sample of this map; nil before its first.
    init?(of name: MapName, in sampler: IndicatorSampler, at moment: Moment) {
        let sample = sampler.sample
        guard let map = sample.maps.first(where: { $0.name == name }), let window = sampler.window(of: map.incarnation),
            // A sample may have been taken between the two reads.
            let newest = (0..<window.count).first(where: { window.second($0).nanoseconds == sample.nanoseconds })
        else { return nil }
        self.map = map
        self.window = window
        self.newest = newest
        self.moment = moment
        reading = sample.readings[map.incarnation] ?? IndicatorReading()
        lines = sampler.lines(of: name)
        cycleBegan = sampler.cycleBegan
    }

    /// Ages of the samples, oldest first.
    var ages: ReversedCollection<Range<Int>> { (newest..<window.count).reversed() }

    func milliseconds(age: Int) -> UInt64 { moment.milliseconds(of: window.second(age).nanoseconds) }

    /// Maintenance cycles that ended within the window, oldest first: when, and the share of deletes among the writes of
    /// each; nil without writes.
    var cycles: [(milliseconds: UInt64, deleteRatio: Double?)] {
        guard let cycleBegan else { return [] }
        let length = CycleDeleteRatios.cycleSeconds * 1_000_000_000
        var ends: [Int] = []
        for back in 0..<UInt64(MapWindow.capacity) / CycleDeleteRatios.cycleSeconds + 1 {
            let instant = Int64(bitPattern: cycleBegan &- back &* length)
            // Samples are a second apart, and a cycle ends with one.
            let age = ages.first { abs(Int64(bitPattern: window.second($0).nanoseconds) - instant) < 500_000_000 }
            guard let age else { break }
            ends.append(age)
        }
        return zip(ends.dropFirst(), ends).reversed().map { from, to in
            let (begin, end) = (window.second(from), window.second(to))
            let writes = end.writes &- begin.writes
            let share = writes == 0 ? nil : Double(end.deletes &- begin.deletes) / Double(writes)
            return (milliseconds(age: to), share)
        }
    }
}
