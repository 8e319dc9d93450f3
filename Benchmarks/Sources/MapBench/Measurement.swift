import CPeers
import Workloads

/// How much is measured.
struct Scale {
    let keys: Int
    /// Per run, over all threads.
    let operations: Int
    /// A run ends here at the latest.
    let runSeconds: Double
    let fairnessSeconds: Double
    /// Whether a run takes the time that its threads were running, not the clock's.
    var countsRunningTime = false

    static let full = Scale(keys: 1_000_000, operations: 2_000_000, runSeconds: 1.5, fairnessSeconds: 1)
    static let quick = Scale(keys: 50_000, operations: 200_000, runSeconds: 1, fairnessSeconds: 0.2)
}

/// What one subject did in one row, round by round.
struct Result {
    var operationsPerSecond: [Double] = []
    var fairness: [FairnessSample] = []
}

/// Plays rows on subjects and keeps what came out.
///
/// Each run has a fresh map, filled with every key first, and a heap that was handed back to the kernel before: nothing
/// of one run is left for the next. A run is a number of operations and not a time, so that every subject's map goes
/// through the same states; only a subject slower than some 1.3 million operations per second is stopped before the end
/// of its list, when its map is still a little fuller than the others' were.
struct Measurement {
    let rows: [Row]
    let subjects: [SubjectKind]
    let rounds: Int
    /// By row, then by subject.
    private(set) var results: [[Result]]
    private let scale: Scale
    private let filling: [OperationList]
    private let lists: [[OperationList]]

    init(rows: [Row], subjects: [SubjectKind], rounds: Int, scale: Scale) {
        (self.rows, self.subjects, self.rounds, self.scale) = (rows, subjects, rounds, scale)
        let workload = Workload(keys: scale.keys)
        filling = workload.filling(threads: 2)
        lists = rows.map { row in
            workload.lists(
                row.mix, row.distribution, threads: row.threads, operationsPerThread: scale.operations / row.threads)
        }
        results = rows.map { _ in subjects.map { _ in Result() } }
    }

    /// Alternating: each round visits every subject in every row, so that a slow minute of the machine hits all of them;
    /// and each round begins with another subject, so that none always follows the same one.
    mutating func run() throws {
        let progress = Progress()
        for round in 0..<rounds {
            for row in rows.indices {
                progress.report(round: round + 1, of: rounds, row: row + 1, of: rows.count)
                for step in subjects.indices {
                    try measure(row: row, subject: (step + round) % subjects.count)
                }
            }
        }
    }

    private mutating func measure(row index: Int, subject number: Int) throws {
        let row = rows[index]
        let lists = lists[index]
        let filling = filling
        // What the last subject left behind goes back to the kernel before the next one is made.
        peer_trim_heap()
        let subject = try subjects[number].make()
        for list in filling + lists { subject.prepare(list) }
        _ = onThreads(filling.count) { subject.play(filling[$0]) }
        let deadline = monotonicNanoseconds() + UInt64(scale.runSeconds * 1e9)
        let run = onThreads(lists.count) { thread in
            row.batch == 1
                ? subject.play(lists[thread], until: deadline)
                : subject.playBatches(lists[thread], of: row.batch, until: deadline)
        }
        let operations = run.outputs.reduce(0) { $0 + $1.operations }
        results[index][number].operationsPerSecond.append(
            Double(operations) / (scale.countsRunningTime ? run.runningSeconds : run.seconds))
        if row.measuresFairness {
            results[index][number].fairness.append(
                FairnessSample.measure(subject, lists, seconds: scale.fairnessSeconds))
        }
    }

    /// The median over the rounds, in operations per second.
    func speed(row: Int, subject: Int) -> Double { median(results[row][subject].operationsPerSecond) }

    /// The ratios to oneTBB, each within one round; empty when oneTBB was not measured.
    func ratios(row: Int, subject: Int) -> [Double] {
        guard let reference = subjects.firstIndex(of: .tbb) else { return [] }
        let speeds = results[row][subject].operationsPerSecond
        return zip(speeds, results[row][reference].operationsPerSecond).map { $0 / $1 }
    }

    /// The median of ``ratios(row:subject:)``, if there are any.
    func ratio(row: Int, subject: Int) -> Double? {
        let ratios = ratios(row: row, subject: subject)
        return ratios.isEmpty ? nil : median(ratios)
    }
}
