import AccidentIndicators
import FlightRecorder
import InstrumentedMaps
import Instruments

/// `README.md` of a bundle: the incident in words, for the person who opens it months later.
enum IncidentGuide {
    /// Operations that are shown of each map; all are in `recorder.jsonl`.
    static let shownOperations = 20
    /// Maps whose operations are shown.
    static let shownMaps = 50

    static func render(_ incident: Incident) -> String {
        let summary = incident.summary
        var text = "# Incident \(summary.id)\n\n\(what(incident))\n"
        if !summary.note.isEmpty { text += "\nNote: \(plain(summary.note))\n" }
        if let evidence = incident.evidence { text += "\n" + standing(evidence) }
        text += "\n" + trace(incident) + "\n" + files(incident)
        return text
    }

    private static func what(_ incident: Incident) -> String {
        let summary = incident.summary
        let map = summary.map.map { "map \($0)" } ?? "all maps"
        let when = "At \(summary.time)"
        switch summary.kind {
        case .conflict:
            guard let conflict = incident.conflict else { return "\(when) two operations met on \(map)." }
            let (found, holder) = (conflict.found, conflict.holder)
            let words = ConflictKind(rawValue: conflict.kind)?.text ?? conflict.kind
            return """
                \(when) two operations met in shard \(conflict.shard) of \(map): \(words). An unguarded map would not have
                survived it.

                - found: \(party(found))
                - in its way: \(party(holder))
                """
        case .signature:
            return """
                \(when) \(map) showed the signature of an accident: its delete share and, within its 60 s, the change of
                its size were both past their lines.
                """
        case .manual:
            return "\(when) somebody asked for this record of \(map)."
        case .previousRun:
            let run = incident.previousRun
            let begun = run.map { ", which had begun at \(CalendarTime.text($0.startedAt))," } ?? ""
            return """
                The run before this one\(begun) did not end in order: it was killed, or it crashed. Its last recorded
                operation was at \(summary.time). There are no samples of it: they went with its memory.
                """
        }
    }

    private static func party(_ party: IncidentConflict.Party) -> String {
        "\(plain(party.caller)), thread \(party.thread), \(party.operation), key hash "
            + TraceText.hexadecimal(party.keyHash)
    }

    /// The indicators beside their lines, as a table.
    private static func standing(_ evidence: MapEvidence) -> String {
        let standing = MapStanding(evidence.map, evidence.reading, evidence.lines)
        var text = "| indicator | value | amber | red | |\n|---|---|---|---|---|\n"
        for row in standing.indicators {
            let (amber, red) = (row.amber.map(short) ?? "", row.red.map(short) ?? "")
            text += "| \(row.indicator.rawValue) | \(short(row.value)) | \(amber) | \(red) | \(row.level.rawValue) |\n"
        }
        let map = evidence.map
        let judged = evidence.reading.isJudged ? "" : " Too young, too small or too idle to be judged by its lines."
        return text + """

            \(map.options.strategy.rawValue), \(map.options.shards) shard(s), \(map.sums.entries) entries, \
            \(map.sums.liveBytes) bytes.\(judged)

            """
    }

    private static func trace(_ incident: Incident) -> String {
        guard let operations = incident.operations else {
            return "No operations were recorded: the recorder runs with `--storage.path` alone.\n"
        }
        guard let run = incident.previousRun else {
            return "Last operations:\n\n" + indented(TraceText.text(operations.suffix(shownOperations)))
        }
        var text = ""
        for (name, operations) in run.operations.sorted(by: { $0.key < $1.key }).prefix(shownMaps) {
            text += "Last operations of map \(plain(name)):\n\n"
            text += indented(TraceText.text(operations.suffix(shownOperations))) + "\n"
        }
        if run.operations.count > shownMaps { text += "\(run.operations.count - shownMaps) more maps, not shown.\n" }
        return text.isEmpty ? indented(TraceText.noTrace + "\n") : text
    }

    private static func files(_ incident: Incident) -> String {
        var text = "Files:\n\n- `incident.json`: the facts, for programs\n"
        if incident.operations != nil { text += "- `recorder.jsonl`: the last operations, a line each, newest last\n" }
        guard let evidence = incident.evidence, let map = incident.summary.map else { return text }
        return text + """
            - `samples.om`: \(evidence.ages.count) samples, a second apart, named as on `/metrics`. What is not kept by shard
              stands under `shard_id="all"`

            To see them in a Prometheus of their own, then query for example `map_delete_ratio{map_name="\(map)"}`:

                promtool tsdb create-blocks-from openmetrics samples.om data
                prometheus --config.file=/dev/null --storage.tsdb.path=data --storage.tsdb.retention.time=10y \\
                    --web.listen-address=127.0.0.1:9099

            To play the accidents of this kind, with and without their fix: `mapwatch replay --help`.

            """
    }

    /// Four digits are enough for an eye.
    private static func short(_ value: Double) -> String {
        let rounded = (value * 10_000).rounded() / 10_000
        return Int(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
    }

    private static func indented(_ text: some StringProtocol) -> String {
        text.split(separator: "\n").reduce(into: "") { $0 += "    \($1)\n" }
    }

    /// A stranger's words without what a terminal or Markdown would take for more than words.
    private static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
                        || "`<>|[]".unicodeScalars.contains(scalar)
                        ? " " : scalar
                }))
    }
}
