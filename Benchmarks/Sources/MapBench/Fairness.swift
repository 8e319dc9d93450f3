import Workloads

// Many threads on few cores: does each get its share, and how long is the longest operation? A thread that the kernel
// puts to sleep in the middle of an operation has a long one on any map, so as many control threads as workers run beside
// them and only read the clock: what an operation takes beyond their longest gap is the map's doing.

/// One subject's threads in one round.
struct FairnessSample: Sendable {
    /// Each worker's operations, as a multiple of their mean.
    let shares: [Double]
    /// Each worker's longest operation, in seconds.
    let longest: [Double]
    /// Each control thread's looks at the clock, as a multiple of their mean: the kernel's own unfairness.
    let controlShares: [Double]
    let worstControlGap: Double

    var minimumShare: Double { shares.min() ?? .nan }
    var maximumShare: Double { shares.max() ?? .nan }
    var minimumControlShare: Double { controlShares.min() ?? .nan }
    var worstOperation: Double { longest.max() ?? .nan }
    var worstBeyondControl: Double { worstOperation - worstControlGap }

    /// Plays the lists, one a thread, for so many seconds beside as many control threads.
    static func measure(_ subject: any Subject, _ lists: [OperationList], seconds: Double) -> FairnessSample {
        // Far enough ahead for all threads to be made; each ends by its own look at the clock.
        let deadline = monotonicNanoseconds() + UInt64((seconds + 0.02) * 1e9)
        let timed = onThreads(lists.count * 2) { thread in
            thread < lists.count ? subject.playTimed(lists[thread], until: deadline) : control(until: deadline)
        }.outputs
        let workers = timed.prefix(lists.count)
        let controls = timed.dropFirst(lists.count)
        return FairnessSample(
            shares: ofMean(workers.map { Double($0.operations) }),
            longest: workers.map { Double($0.longestNanoseconds) / 1e9 },
            controlShares: ofMean(controls.map { Double($0.operations) }),
            worstControlGap: Double(controls.map(\.longestNanoseconds).max() ?? 0) / 1e9)
    }

    /// Takes no lock and writes no shared memory.
    private static func control(until deadline: UInt64) -> TimedPlay {
        var timed = TimedPlay()
        var before = monotonicNanoseconds()
        while before < deadline {
            let after = monotonicNanoseconds()
            timed.longestNanoseconds = max(timed.longestNanoseconds, after - before)
            timed.operations += 1
            before = after
        }
        return timed
    }

    private static func ofMean(_ values: [Double]) -> [Double] {
        let mean = values.reduce(0, +) / Double(values.count)
        return values.map { $0 / mean }
    }
}
