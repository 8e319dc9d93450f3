import CoreMetrics
import Exposition
import Instruments

/// What is counted for one series, and read at a scrape.
protocol MetricCell: AnyObject, Sendable {
    func append(to family: inout MetricFamily, _ labels: LabelSet)
}

/// Whole numbers that only grow. Cost of an increment: one atomic addition.
final class CountCell: MetricCell, CounterHandler {
    private let counter = Counter()

    func increment(by amount: Int64) {
        if amount > 0 { counter.add(UInt64(amount)) }
    }

    func reset() { counter.set(0) }

    func append(to family: inout MetricFamily, _ labels: LabelSet) {
        family.append(labels, .count(counter.value))
    }
}

/// Real numbers that only grow; what is no positive number is passed over.
final class SumCell: MetricCell, FloatingPointCounterHandler {
    private let sum = LockedState(0.0)

    func increment(by amount: Double) {
        if amount > 0, amount.isFinite { sum.withLock { $0 += amount } }
    }

    func reset() { sum.withLock { $0 = 0 } }

    func append(to family: inout MetricFamily, _ labels: LabelSet) {
        family.append(labels, .real(sum.withLock { $0 }))
    }
}

/// The last value: a meter, or a recorder that does not aggregate.
final class LevelCell: MetricCell, MeterHandler, RecorderHandler {
    private let level = LockedState(0.0)

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { level.withLock { $0 = value } }

    func increment(by amount: Double) { level.withLock { $0 += amount } }

    func decrement(by amount: Double) { level.withLock { $0 -= amount } }

    func record(_ value: Int64) { set(Double(value)) }

    func record(_ value: Double) { set(value) }

    func append(to family: inout MetricFamily, _ labels: LabelSet) {
        family.append(labels, .real(level.withLock { $0 }))
    }
}

/// Values by size: a recorder that aggregates, or a timer in seconds.
final class SpreadCell: MetricCell, RecorderHandler, TimerHandler {
    private struct Spread: Sendable {
        var counts: [UInt64]
        var sum = 0.0
    }

    private let bounds: HistogramBounds
    private let spread: LockedState<Spread>

    init(_ bounds: HistogramBounds) {
        self.bounds = bounds
        spread = LockedState(Spread(counts: Array(repeating: 0, count: bounds.values.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = bounds.values.firstIndex { value <= $0 } ?? bounds.values.count
        spread.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func append(to family: inout MetricFamily, _ labels: LabelSet) {
        let now = spread.withLock { $0 }
        family.append(labels, HistogramValue(bounds, counts: now.counts, sum: .real(now.sum)))
    }
}
