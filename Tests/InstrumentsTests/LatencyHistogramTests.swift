import Glibc
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
        histogram.record(bound + 1)
        var wanted = LatencySample(.lockWaits)
        wanted.counts[index] = 1
        wanted.counts[index + 1] = 1
        #expect(sample(histogram).counts == wanted.counts)
        #expect(sample(histogram).sumNanoseconds == 2 * bound + 1)
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

    /// The bucket of Prometheus' native histograms by their definition: the least whose bound is not below the latency.
    private func exponentialBucket(_ nanoseconds: UInt64) -> Int {
        let seconds = Double(nanoseconds) / 1e9
        if seconds <= ExponentialBuckets.zeroThreshold { return 0 }
        if seconds > 64 { return 257 }
        return Int((log2(seconds) * 8).rounded(.up)) - ExponentialBuckets.firstIndex + 1
    }

    @Test("each latency lies in the exponential bucket of the definition, whatever the classic bounds")
    func exponentialBuckets() {
        var generator = SeededGenerator(seed: TestSeed.value)
        for bounds in [LatencyBounds.lockWaits, .operations] {
            let latencies: [UInt64] =
                [0, 14, 15, 16, 1_000, 1_001, 1_000_000_000, 1_000_000_001, 64_000_000_000, 64_000_000_001, .max]
                + (0..<2_000).map { _ in UInt64.random(in: 0...(1 << UInt64.random(in: 1...37)), using: &generator) }
            for latency in latencies {
                let histogram = LatencyHistogram(bounds)
                histogram.record(latency)
                let sample = sample(histogram)
                #expect(sample.exponentialCounts.firstIndex(of: 1) == exponentialBucket(latency), "\(latency) ns")
                #expect(
                    sample.counts.firstIndex(of: 1) == bounds.nanoseconds.firstIndex { latency <= $0 }
                        ?? bounds.nanoseconds.count)
                #expect(sample.exponentialCounts.reduce(0, +) == 1)
                #expect(sample.count == 1)
            }
        }
    }

    @Test("the last latency of each bucket is kept with its shard and its moment")
    func lastsAreKept() {
        let record = LatencyRecord(.lockWaits)
        #expect(record.sample.lasts.isEmpty)
        record.record(900, endedAt: 5_000_000_000, shard: 0)
        record.record(800, endedAt: 6_000_000_001, shard: 1023)
        record.record(2_000_000_000, endedAt: 7_123_456_789, shard: 512)
        record.record(3_000_000_000, endedAt: 8_000_000_000, shard: nil)
        let lasts = record.sample.lasts
        #expect(lasts.count == 13)
        #expect(lasts[0] == LatencyExemplar(nanoseconds: 800, endedAt: 6_000_000_001, shard: 1023))
        #expect(lasts[11] == LatencyExemplar(nanoseconds: 2_000_000_000, endedAt: 7_123_456_789, shard: 512))
        #expect(lasts.compactMap { $0 }.count == 2)
    }

    @Test("an exemplar that two writers have torn is not shown, and no other ever lies")
    func tornExemplars() {
        let record = LatencyRecord(.lockWaits)
        let done = Flag()
        let group = ThreadGroup()
        for thread in 0..<2 {
            group.start {
                for round in 1...200_000 {
                    // The moment says which thread and which latency belong to it.
                    let moment = UInt64(round) << 9 | UInt64(thread)
                    record.record(UInt64(thread) * 100 + 100, endedAt: moment, shard: thread)
                }
                done.raise()
            }
        }
        while !done.isRaised {
            guard let last = record.sample.lasts.first.flatMap({ $0 }) else { continue }
            #expect(last.endedAt & 511 == UInt64(last.shard))
            #expect(last.nanoseconds == UInt64(last.shard) * 100 + 100)
        }
        group.join()
    }
}
