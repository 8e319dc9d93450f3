import Scenarios

/// Replays as a person reads them: a paragraph each, or two in columns side by side.
enum ReplayReport {
    static func paragraph(_ result: ReplayResult) -> String {
        let card = result.card
        return """
            \(card.name): \(card.title) (\(card.origin.rawValue)), \(result.way.rawValue) on \(result.map.description)
              \(card.story)
            \(rows(result).map { "  \(padded($0.name, 26)) \($0.value)" }.joined(separator: "\n"))

            """
    }

    /// Before and after, on the same load.
    static func comparison(_ before: ReplayResult, _ after: ReplayResult) -> String {
        let card = before.card
        let left = rows(before)
        let right = rows(after)
        let heads = [before, after].map { "\($0.way.rawValue), \($0.map.description)" }
        let width = max(22, heads[0].count, left.map(\.value.count).max() ?? 0)
        var lines = [
            "\(card.name): \(card.title) (\(card.origin.rawValue))", "  naive: \(card.story)",
            "  fix \(card.fix.name): \(card.fix.story)",
            "  \(padded("", 26)) \(padded(heads[0], width))  \(heads[1])",
        ]
        for (one, other) in zip(left, right) {
            lines.append("  \(padded(one.name, 26)) \(padded(one.value, width))  \(other.value)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The last line of `--all`, from what the metrics have shown.
    static func total(_ results: [ReplayResult]) -> String {
        let accidents = results.count { $0.observations.showsAccident }
        let signatures = results.count { $0.observations.peak.hasSignature }
        return "\(accidents) accident\(accidents == 1 ? "" : "s"), \(signatures) with the signature"
    }

    private static func rows(_ result: ReplayResult) -> [(name: String, value: String)] {
        let (peak, outcome) = (result.observations.peak, result.outcome)
        return [
            ("detections", peak.conflicts.isEmpty ? "not looked for" : counts(peak.conflicts)),
            ("averted by locks", counts(peak.averted)),
            ("signature", peak.hasSignature ? "yes" : "no"),
            ("peak delete share", percent(peak.deleteRatio)),
            ("peak size mutation, 15 s", percent(peak.sizeMutationRatio)),
            ("streak", "\(peak.sizeMutationStreak)"),
            ("deletes during iteration", "\(peak.deletesDuringIteration)"),
            ("lost reads and writes", "\(outcome.lost)"),
            ("stale reads and entries", "\(outcome.stale)"),
            ("p50 of a call", duration(outcome.medianNanoseconds)),
            ("p99 of a call", duration(outcome.p99Nanoseconds)),
            ("operations", "\(outcome.operations), refused and tried again \(outcome.refusals)"),
            ("contents at the end", "\(outcome.entries) entries, digest \(hex(outcome.contents))"),
        ]
    }

    /// The sum, and what it is made of.
    private static func counts(_ byKind: [String: UInt64]) -> String {
        let kinds = byKind.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return "\(byKind.values.reduce(0, +))" + (kinds.isEmpty ? "" : " (\(kinds.joined(separator: ", ")))")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func percent(_ share: Double) -> String { "\(decimal(100 * share)) %" }

    private static func duration(_ nanoseconds: UInt64) -> String {
        switch nanoseconds {
        case ..<1_000: "\(nanoseconds) ns"
        case ..<1_000_000: "\(decimal(Double(nanoseconds) / 1e3)) µs"
        default: "\(decimal(Double(nanoseconds) / 1e6)) ms"
        }
    }

    /// With one place behind the point.
    private static func decimal(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
