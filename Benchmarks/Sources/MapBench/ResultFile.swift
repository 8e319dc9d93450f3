import Foundation
import Workloads

/// One row and subject in the JSON file.
struct ResultEntry: Encodable {
    let mix: String
    let distribution: String
    let threads: Int
    let batch: Int
    let subject: String
    let operationsPerSecond: Double
    /// To oneTBB in the same run; left out when oneTBB was not measured.
    let ratio: Double?

    enum CodingKeys: String, CodingKey {
        case mix, distribution, threads, batch, subject
        case operationsPerSecond = "ops_per_second"
        case ratio
    }
}

extension Measurement {
    /// Writes one object per row and subject to `path`.
    func writeJSON(to path: String) throws {
        let entries = rows.indices.flatMap { row in
            subjects.indices.map { subject in
                ResultEntry(
                    mix: rows[row].mix.description, distribution: rows[row].distribution.rawValue,
                    threads: rows[row].threads, batch: rows[row].batch, subject: subjects[subject].rawValue,
                    operationsPerSecond: speed(row: row, subject: subject).rounded(),
                    ratio: ratio(row: row, subject: subject))
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let file = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try encoder.encode(entries).write(to: file)
    }
}
