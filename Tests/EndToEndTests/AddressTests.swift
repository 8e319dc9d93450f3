import Foundation
import TestSupport
import Testing

@Suite("Listen addresses")
struct AddressTests {
    @Test("both listeners serve unix sockets and IPv6 beside IPv4, and a stale socket file is no obstacle")
    func manyAddresses() throws {
        let folder = try TemporaryFolder()
        let web = "\(folder.path)/web.sock"
        let data = "\(folder.path)/data.sock"
        let arguments = [
            "--web.listen-address", "unix:\(web)?mode=0660", "--data.listen-address", "unix:\(data)",
            "--web.listen-address", "[::1]:0",
        ]
        let killed = try MapwatchProcess(arguments)
        _ = try killed.child.waitForErrorLines(3, holding: ["serving metrics"])
        #expect(try killed.terminate(SIGKILL) == .signal(SIGKILL))

        let daemon = try MapwatchProcess(arguments)
        _ = try daemon.child.waitForErrorLine("serving maps", "path=/api/v1/maps socket=unix:\(data)")
        #expect(try HTTPConnection(unixPath: data).request("PUT", "/api/v1/maps/a").status == 201)
        let scrape = try HTTPConnection(unixPath: web).request("GET", "/metrics")
        #expect(try CheckedExposition(scrape.body).value("mapwatch_maps") == 1)
        let line = try daemon.child.waitForErrorLine("serving metrics", "http://[::1]:")
        let port = try #require(line.split(separator: ":").last.flatMap { UInt16($0.prefix { $0.isNumber }) })
        #expect(try HTTPClient.request("GET", "/-/healthy", host: "::1", port: port).status == 200)
        #expect(FileManager.default.fileExists(atPath: web))
        #expect(try daemon.terminate(SIGTERM) == .code(0))
        #expect(!FileManager.default.fileExists(atPath: web))
        #expect(!FileManager.default.fileExists(atPath: data))
    }

    @Test("sockets of systemd are served, and told apart by their names")
    func systemd() throws {
        let tool = try MissingTool.path(of: "systemd-socket-activate")
        let folder = try TemporaryFolder()
        let (web, data) = ("\(folder.path)/web.sock", "\(folder.path)/data.sock")
        let child = try ChildProcess(
            tool,
            [
                "--listen", web, "--listen", data, "--fdname", "web:data", try MapwatchProcess.binary(), "serve",
                "--web.systemd-socket", "--data.systemd-socket",
            ])
        _ = try child.waitForErrorLine("Listening on \(data)")
        // The first connection starts the daemon.
        let connection = try HTTPConnection(unixPath: web, timeoutSeconds: 60)
        #expect(try connection.request("GET", "/-/healthy").text == "mapwatch is healthy.\n")
        #expect(try HTTPConnection(unixPath: data).request("GET", "/api/v1/maps").text.hasPrefix("["))
        child.signal(SIGTERM)
        #expect(try child.waitForExit() == .code(0))
        // They are systemd's files, and stay.
        #expect(FileManager.default.fileExists(atPath: web))
    }

    private static let refusals: [([String], [String: String], String)] = [
        (["--web.systemd-socket"], [:], "LISTEN_FDS and LISTEN_PID are not set"),
        (
            ["--web.systemd-socket"], ["LISTEN_FDS": "1", "LISTEN_PID": "1"],
            "the sockets of systemd are for process LISTEN_PID=1"
        ),
        (["--web.listen-address", "unix:/nowhere/a.sock"], [:], "cannot listen on unix:/nowhere/a.sock: no such file"),
        (
            ["--web.listen-address", "127.0.0.1:0", "--data.listen-address", "localhost"], [:],
            "invalid listen address \\\"localhost\\\": no port"
        ),
        (["--data.max-connections", "0"], [:], "--data.max-connections 0 is not from 1 to 1000000"),
    ]

    @Test("an address that cannot be listened on is named", arguments: refusals)
    func refused(arguments: [String], environment: [String: String], says: String) throws {
        let result = try MapwatchProcess.run(["serve"] + arguments, environment: environment)
        #expect(result.exit != .code(0))
        #expect(result.errors.contains(says), "\(result.errors)")
    }
}
