import Foundation
import TestSupport
import Testing

@Suite("Incidents over HTTP and from the command line")
struct IncidentTests {
    @Test("without --storage.path asking for one is a 409 that names the flag, and changes nothing")
    func withoutStorage() throws {
        let daemon = try MapwatchProcess()
        _ = try daemon.data("PUT", "/api/v1/maps/orders")
        let answer = try daemon.data("POST", "/api/v1/incidents", body: "{\"map\":\"orders\"}")
        #expect(answer.status == 409)
        #expect(try Problem(answer).detail.contains("--storage.path"))
        #expect(try ListedIncident.all(of: daemon).isEmpty)
        let missing = try daemon.web("GET", "/api/v1/incidents/last")
        #expect(missing.status == 404)
        #expect(try Problem(missing).detail == "there has been no incident")
        let text = try daemon.web("GET", "/metrics").text
        for kind in ["conflict", "signature", "previous_run", "manual"] {
            #expect(text.contains("mapwatch_incidents_total{map_name=\"orders\",kind=\"\(kind)\"} 0\n"))
        }
        #expect(!text.contains("mapwatch_incident_timestamp_seconds{"))
    }

    @Test("with it one is recorded, listed, and read file by file")
    func recorded() throws {
        let folder = try TemporaryFolder()
        let daemon = try MapwatchProcess(["--storage.path", folder.path + "/not/yet"])
        _ = try daemon.data("PUT", "/api/v1/maps/orders")
        let answer = try daemon.data(
            "POST", "/api/v1/incidents", body: "{\"map\":\"orders\",\"note\":\"odd \\u001b[31m\"}")
        #expect(answer.status == 201)
        let row = try #require(try ListedIncident.all(of: daemon).first)
        #expect(row.kind == "manual" && row.map == "orders" && row.note == "odd \u{1b}[31m" && row.stored)
        #expect(answer.header("Location") == "/api/v1/incidents/\(row.id)")
        for (file, type) in [
            ("", "application/json"), ("/incident.json", "application/json"),
            ("/README.md", "text/markdown; charset=utf-8"), ("/recorder.jsonl", "application/x-ndjson"),
        ] {
            for answer in [
                try daemon.web("GET", "/api/v1/incidents/\(row.id)\(file)"),
                try daemon.data("GET", "/api/v1/incidents/last\(file)"),
            ] {
                #expect(answer.status == 200 && answer.header("Content-Type") == type)
            }
        }
        let text = try daemon.web("GET", "/metrics").text
        #expect(text.contains("mapwatch_incidents_total{map_name=\"orders\",kind=\"manual\"} 1\n"))
        #expect(
            text.contains(
                "mapwatch_incident_timestamp_seconds{incident=\"\(row.id)\",map_name=\"orders\",kind=\"manual\"} "))
        // What an unfriendly note would do to a terminal.
        let shown = try MapwatchProcess.run(["incidents", "list", "--storage.path", folder.path + "/not/yet"])
        #expect(shown.exit == .code(0) && shown.output.contains(row.id) && !shown.output.contains("\u{1b}"))
        let byURL = try MapwatchProcess.run(["incidents", "--url", "http://127.0.0.1:\(daemon.metricsPort)"])
        #expect(byURL.output == shown.output)
    }

    @Test(
        "a request that cannot be taken is told why",
        arguments: [
            ("POST", "{\"map\":\"orders\",\"mapp\":1}", 400, "mapp"), ("POST", "{}", 400, "map"),
            ("POST", "[]", 400, "object"), ("POST", "{\"map\":\"Orders\"}", 422, "Orders"),
            ("POST", "{\"map\":\"gone\"}", 404, "gone"), ("DELETE", "", 405, "GET, HEAD, POST"),
        ])
    func refused(method: String, body: String, status: Int, part: String) throws {
        let daemon = try MapwatchProcess()
        let answer = try daemon.data(method, "/api/v1/incidents", body: body)
        #expect(answer.status == status)
        #expect(try Problem(answer).detail.contains(part))
    }

    @Test("what is no path of an incident is not found, whatever it tries", arguments: ["..", "%2e%2e", "x", "%2Fetc"])
    func paths(name: String) throws {
        let folder = try TemporaryFolder()
        let daemon = try MapwatchProcess(["--storage.path", folder.path])
        _ = try daemon.data("PUT", "/api/v1/maps/orders")
        _ = try daemon.data("POST", "/api/v1/incidents", body: "{\"map\":\"orders\"}")
        for target in ["\(name)", "\(name)/incident.json", "last/\(name)"] {
            #expect(try [400, 404].contains(daemon.web("GET", "/api/v1/incidents/\(target)").status))
        }
    }

    @Test("the command says what is wrong and what to do")
    func commands() throws {
        let folder = try TemporaryFolder()
        let empty = try MapwatchProcess.run(["incidents", "list", "--storage.path", folder.path])
        #expect(empty.exit == .code(0) && empty.output == "no incident\n")
        for (arguments, part) in [
            (["show", "--storage.path", folder.path], "there is no incident in \(folder.path)"),
            (["show", "20260301T120000123Z-0001", "--storage.path", folder.path], "mapwatch incidents list names all"),
            (["show", "3"], "they look like"), (["list", "--url", "https://x"], "curl"),
            (["list", "--url", "http://127.0.0.1:1"], "is mapwatch serving there?"),
            (["list", "--url", "http://x", "--storage.path", "y"], "not both"),
        ] {
            let result = try MapwatchProcess.run(["incidents"] + arguments)
            #expect(result.exit != .code(0))
            #expect(result.errors.contains(part), "\(arguments): \(result.errors)")
        }
    }
}
