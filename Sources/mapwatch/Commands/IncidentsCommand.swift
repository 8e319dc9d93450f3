import ArgumentParser
import Incidents
import InstrumentedMaps

/// `mapwatch incidents`: looks at incidents, of a daemon that runs or of a directory that one has left behind.
struct IncidentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incidents",
        abstract: "Lists incidents, or shows one.",
        discussion: """
            Asks the daemon at http://127.0.0.1:10197, another one named by --url, or reads the directory that was given \
            to serve as --storage.path, for which no daemon needs to run:

              mapwatch incidents list
              mapwatch incidents show last --storage.path /var/lib/mapwatch
            """,
        subcommands: [ListIncidentsCommand.self, ShowIncidentCommand.self],
        defaultSubcommand: ListIncidentsCommand.self)
}

/// Where incidents are looked for.
struct IncidentPlace: ParsableArguments {
    @Option(name: .customLong("storage.path"), help: "The directory that serve has as --storage.path.")
    var storagePath: String?

    @Option(
        name: .customLong("url"),
        help: "A daemon's metrics listener. (default: http://127.0.0.1:10197, without --storage.path)")
    var url: String?

    func validate() throws {
        guard storagePath == nil || url == nil else {
            throw ValidationError("give --storage.path or --url, not both")
        }
    }

    var reader: IncidentReader {
        if let storagePath { return .directory(BundleStore(storagePath: storagePath)) }
        return .daemon(url ?? "http://127.0.0.1:10197")
    }
}

/// `mapwatch incidents list`.
struct ListIncidentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "A line for each incident, the newest first (the default).")

    @OptionGroup var place: IncidentPlace

    func run() throws {
        try reportingProblems {
            let summaries = try place.reader.list()
            guard !summaries.isEmpty else { return print("no incident") }
            print("incident                  time                      kind          map")
            for summary in summaries {
                let kind = summary.kind.rawValue
                let padded = kind + String(repeating: " ", count: max(0, 12 - kind.count))
                let note = summary.note.isEmpty ? "" : "  \(TerminalText.line(summary.note))"
                print("\(summary.id)  \(summary.time)  \(padded)  \(summary.map?.text ?? "(all)")\(note)")
            }
        }
    }
}

/// `mapwatch incidents show`.
struct ShowIncidentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "What one incident was: in words, with its last operations.")

    @Argument(help: "An incident as list names it, or last.")
    var incident = "last"

    @Option(
        name: .customLong("file"),
        help: "Prints this file instead: incident.json, samples.om, recorder.jsonl or README.md.")
    var file = BundleFile.guide.rawValue

    @OptionGroup var place: IncidentPlace

    func validate() throws {
        guard incident == "last" || IncidentID(incident) != nil else {
            throw ValidationError(
                "\"\(incident)\" is no incident: they look like 20260301T120000123Z-0001, or last for the newest")
        }
        guard BundleFile(rawValue: file) != nil else {
            let known = BundleFile.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--file \"\(file)\" is unknown; known are \(known)")
        }
    }

    func run() throws {
        guard let file = BundleFile(rawValue: file) else { return }
        try reportingProblems {
            let reader = place.reader
            let bytes = try reader.read(incident, file)
            print(TerminalText.lines(String(decoding: bytes, as: UTF8.self)), terminator: "")
        }
    }
}

/// Says on stderr what went wrong, and exits with 1.
private func reportingProblems(_ body: () throws -> Void) throws {
    do { try body() } catch let exit as ExitCode { throw exit } catch {
        System.writeToStandardError(Array("\(error)\n".utf8))
        throw ExitCode(1)
    }
}

/// What a file holds may be anybody's: a terminal must not obey it.
enum TerminalText {
    static func lines(_ text: String) -> String { cleaned(text) { $0 == 0x0a || $0 == 0x09 } }

    static func line(_ text: String) -> String { cleaned(text) { _ in false } }

    private static func cleaned(_ text: String, _ isKept: (UInt32) -> Bool) -> String {
        var cleaned = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            cleaned.append(isControl && !isKept(scalar.value) ? "\u{fffd}" : scalar)
        }
        return String(cleaned)
    }
}
