import FlightRecorder

/// The files of a bundle.
public enum BundleFile: String, Sendable, CaseIterable {
    case document = "incident.json"
    case samples = "samples.om"
    case operations = "recorder.jsonl"
    case guide = "README.md"
}

/// The bytes of an incident's files, by name.
struct IncidentBundle: Sendable {
    /// Of a long list of operations the newest are kept: 12 MB of lines at the most.
    static let maximumOperations = 50_000

    let summary: IncidentSummary
    private(set) var files: [(name: BundleFile, bytes: [UInt8])]

    init(_ incident: Incident) {
        var incident = incident
        if let operations = incident.operations {
            incident.operations = Array(operations.suffix(IncidentBundle.maximumOperations))
        }
        summary = incident.summary
        files = [(.document, Array(IncidentDocument.render(incident).utf8))]
        if let evidence = incident.evidence { files.append((.samples, SampleHistory.render(evidence))) }
        if let operations = incident.operations {
            var lines: [UInt8] = []
            for operation in operations {
                lines += TraceText.json(operation).utf8
                lines.append(UInt8(ascii: "\n"))
            }
            files.append((.operations, lines))
        }
        files.append((.guide, Array(IncidentGuide.render(incident).utf8)))
    }

    /// What the bundle takes on a disk: whole blocks, and one for the directory.
    var bytes: Int { files.reduce(BundleStore.blockBytes) { $0 + BundleStore.blocks($1.bytes.count) } }

    mutating func keep(only names: Set<BundleFile>) { files.removeAll { !names.contains($0.name) } }
}
