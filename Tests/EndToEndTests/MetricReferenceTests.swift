import Foundation
import TestSupport
import Testing

/// The metric reference of the documentation is what the daemon says of itself: `make docs` writes it anew.
@Suite("The metric reference")
struct MetricReferenceTests {
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Sources/mapwatch/Documentation.docc/Metrics.md").standardizedFileURL

    /// What `make docs` sets.
    private static let isWriting = ProcessInfo.processInfo.environment["MAPWATCH_WRITE_METRIC_REFERENCE"] != nil

    /// A map of each kind that has series of its own, by the body of its PUT.
    private static let maps = [
        "orders": "{}", "sessions": "{\"reads\":\"optimistic\"}", "rules": "{\"strategy\":\"rwlock\"}",
        "carts": "{\"strategy\":\"checked\"}",
    ]

    @Test("names each family of a daemon that has everything switched on, with its labels and its help")
    func isCurrent() throws {
        let exposition = try everything()
        let text = Self.render(exposition.families)
        if Self.isWriting { try text.write(to: Self.page, atomically: true, encoding: .utf8) }
        let standing = try String(contentsOf: Self.page, encoding: .utf8)
        let missing = Set(text.split(separator: "\n")).subtracting(standing.split(separator: "\n")).sorted()
        let stale = Set(standing.split(separator: "\n")).subtracting(text.split(separator: "\n")).sorted()
        #expect(missing.isEmpty && stale.isEmpty, "run `make docs`; missing: \(missing), stale: \(stale)")
    }

    /// The second scrape of one scraper, so that the deltas are there too.
    private func everything() throws -> CheckedExposition {
        let daemon = try MapwatchProcess(
            ["--enable-chaos"], environment: ["MAPWATCH_CHAOS_TOKEN": "0123456789abcdef"])
        for (map, body) in Self.maps {
            #expect(try daemon.data("PUT", "/api/v1/maps/\(map)", body: body).status == 201)
        }
        // Requests of a handler count from its first on.
        #expect(try daemon.web("GET", "/").status == 200)
        _ = try daemon.scrape()
        return try daemon.scrape()
    }

    // MARK: - The page

    private static func render(_ families: [CheckedExposition.Family]) -> String {
        let isMap = { (name: String) in
            name.hasPrefix("map_") || name.hasPrefix("mem_map_") || name.hasPrefix("go_map_")
        }
        let groups: [(title: String, isIn: (String) -> Bool)] = [
            ("Maps", isMap), ("The daemon", { $0.hasPrefix("mapwatch_") }),
            ("The process", { $0.hasPrefix("process_") }),
        ]
        let tables = groups.map { group in
            "## \(group.title)\n\n| series | type | labels | |\n|---|---|---|---|\n"
                + families.filter { group.isIn($0.name) }.sorted { $0.name < $1.name }.map(row).joined()
        }
        return """
            # Metrics

            Every family on `/metrics`, as the daemon itself describes it.

            ## Overview

            This page is written by `make docs` from a running daemon, and a test fails when it is not what the daemon says.
            `shard_id` is padded with zeros to the width of the highest; `all` where the series budget folds a map into one row.
            Some families are there only for maps that can move them: optimistic reads, the strategy `checked`.


            """ + tables.joined(separator: "\n")
    }

    private static func row(_ family: CheckedExposition.Family) -> String {
        let labels = Set(family.samples.flatMap { $0.labels.keys }).subtracting(["le"]).sorted()
        let cells = [
            "`\(family.name)`", family.type, labels.map { "`\($0)`" }.joined(separator: " "),
            family.help.replacingOccurrences(of: "|", with: "\\|"),
        ]
        return "| " + cells.joined(separator: " | ") + " |\n"
    }
}
