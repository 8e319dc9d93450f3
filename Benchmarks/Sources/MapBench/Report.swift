import Foundation
import Workloads

/// The results as text.
struct Report {
    let measurement: Measurement
    let perThread: Bool

    func print() {
        printSpeeds()
        for row in measurement.rows.indices where measurement.rows[row].measuresFairness { printFairness(row) }
        printGoals()
    }

    private func printSpeeds() {
        Swift.print("\nmedians of \(measurement.rounds) rounds; the ratio is to oneTBB in the same round")
        for (index, row) in measurement.rows.enumerated() {
            Swift.print("\n" + Report.pad(row.title, 32) + "   Mop/s  of oneTBB    (min–max)   goal")
            for (number, subject) in measurement.subjects.enumerated() {
                let ratios = measurement.ratios(row: index, subject: number)
                let ratio = measurement.ratio(row: index, subject: number)
                var line = "  " + Report.pad(subject.title, 30)
                line += String(format: "%8.2f", measurement.speed(row: index, subject: number) / 1e6)
                if let ratio, let least = ratios.min(), let most = ratios.max() {
                    line += String(format: "%11.2f  (%4.2f–%4.2f)", ratio, least, most)
                }
                if subject == .mapwatch, let goal = row.goal, let ratio {
                    line += String(format: "%7.1f", goal) + (ratio >= goal ? "  met" : "  missed")
                }
                Swift.print(line)
            }
        }
    }

    /// Medians over the rounds; of the operation beyond the control gap the worst round too, because a rare stall is
    /// what this row is for.
    private func printFairness(_ row: Int) {
        let threads = measurement.rows[row].threads
        let alone = measurement.rows.firstIndex { $0.name == "50-uniform" }
        Swift.print("\n\(measurement.rows[row].mix) uniform, \(threads) threads beside \(threads) control threads:")
        Swift.print("a thread's share of the mean, its longest operation, and the longest beyond the worst control gap")
        Swift.print(
            Report.pad("", 32)
                + "of 2 thr.  share min–max  control min  longest ms  control ms  beyond ms (worst round)")
        for (number, subject) in measurement.subjects.enumerated() {
            let samples = measurement.results[row][number].fairness
            let scaling = alone.map {
                measurement.speed(row: row, subject: number) / measurement.speed(row: $0, subject: number)
            }
            Swift.print(
                "  " + Report.pad(subject.title, 30)
                    + (scaling.map { String(format: "%8.0f%%", $0 * 100) } ?? Report.pad("", 9))
                    + String(
                        format: "%8.2f – %4.2f%13.2f%12.1f%12.1f%11.1f (%.1f)",
                        median(samples.map(\.minimumShare)), median(samples.map(\.maximumShare)),
                        median(samples.map(\.minimumControlShare)), median(samples.map(\.worstOperation)) * 1e3,
                        median(samples.map(\.worstControlGap)) * 1e3,
                        median(samples.map(\.worstBeyondControl)) * 1e3,
                        (samples.map(\.worstBeyondControl).max() ?? .nan) * 1e3))
            if perThread, let last = samples.last { printThreads(last) }
        }
    }

    private func printThreads(_ sample: FairnessSample) {
        for thread in sample.shares.indices {
            Swift.print(
                String(
                    format: "      thread %2d: share %.2f, longest operation %.1f ms (last round)", thread,
                    sample.shares[thread], sample.longest[thread] * 1e3))
        }
    }

    private func printGoals() {
        guard let mapwatch = measurement.subjects.firstIndex(of: .mapwatch) else { return }
        var (goals, met) = (0, 0)
        var slower: [String] = []
        for (index, row) in measurement.rows.enumerated() {
            guard let ratio = measurement.ratio(row: index, subject: mapwatch) else { continue }
            if let goal = row.goal {
                goals += 1
                if ratio >= goal { met += 1 }
            }
            if ratio < 1 { slower.append(String(format: "\(row.title) (%.2f)", ratio)) }
        }
        Swift.print("\ngoals met: \(met) of \(goals)")
        Swift.print("mapwatch is slower than oneTBB in: " + (slower.isEmpty ? "none" : slower.joined(separator: "; ")))
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text.padding(toLength: width, withPad: " ", startingAt: 0)
    }
}
