import Instruments
import TestSupport
import Testing

@Suite("LatencyHistogram")
struct LatencyHistogramTests {
    private final class Shared: Sendable {
        let histogram = LatencyHistogram(.lockWaits)
    }

    private func sample(_ histogram: borrowing LatencyHistogram) -> LatencySample {
        var sample = LatencySample(histogram.bounds)
        histogram.add(to: &sample)
        return sample
    }

    @Test("a latency at a bound is within it, one nanosecond more is beyond", arguments: [0, 5, 11])
    func boundsAreUpperBounds(index: Int) {
        let bound = LatencyBounds.lockWaits.nanoseconds[index]
        let histogram = LatencyHistogram(.lockWaits)
        histogram.record(bound)
        histogram.recordExclusively(bound + 1)
        var wanted = LatencySample(.lockWaits)
        wanted.counts[index] = 1
        wanted.counts[index + 1] = 1
        wanted.sumNanoseconds = 2 * bound + 1
        #expect(sample(histogram) == wanted)
        #expect(histogram.count == 2)
        #expect(histogram.sumNanoseconds == 2 * bound + 1)
    }

    @Test("the bounds are those that the series promise, in seconds")
    func boundsAreTheSeries() {
        let waits = [1e-6, 4e-6, 1.6e-5, 6.4e-5, 2.56e-4, 1e-3, 4e-3, 1.6e-2, 6.4e-2, 0.256, 1, 4]
        let operations = [1e-7, 2.5e-7, 5e-7, 1e-6, 2.5e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1]
        #expect(LatencyBounds.lockWaits.nanoseconds.map { Double($0) / 1e9 } == waits)
        #expect(LatencyBounds.operations.nanoseconds.map { Double($0) / 1e9 } == operations)
    }

    @Test("samples of several histograms add up")
    func samplesAddUp() {
        let first = LatencyHistogram(.operations)
        let second = LatencyHistogram(.operations)
        first.record(0)
        second.record(0)
        second.record(2_000_000_000)
        var sum = LatencySample(.operations)
        first.add(to: &sum)
        second.add(to: &sum)
        #expect(sum.counts == [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
        #expect(sum.sumNanoseconds == 2_000_000_000)
        #expect(sum.count == 3)
    }

    @Test("records from many threads lose nothing")
    func recordsFromManyThreads() {
        let shared = Shared()
        ThreadGroup.run(4) { thread in
            for _ in 0..<10_000 { shared.histogram.record(UInt64(thread) * 1_000_000) }
        }
        #expect(shared.histogram.count == 40_000)
        #expect(shared.histogram.sumNanoseconds == (0 + 1 + 2 + 3) * 1_000_000 * 10_000)
    }
}
