import Foundation
import Glibc
import TestSupport

/// The real daemon on free ports of the loopback address; killed and reaped with the last reference.
///
/// Safe to share among threads; each request has a connection of its own.
final class MapwatchProcess: Sendable {
    let child: ChildProcess
    /// The metrics listeners' ports, in the order of the arguments.
    let metricsPorts: [UInt16]
    let dataPorts: [UInt16]

    var metricsPort: UInt16 { metricsPorts[0] }
    var dataPort: UInt16 { dataPorts[0] }

    /// Starts `mapwatch serve` and waits until it serves on as many listeners as are asked for. No file
    /// of the daemon can grow beyond `fileSizeLimit`.
    init(
        _ arguments: [String] = [], metricsListeners: Int = 1, dataListeners: Int = 1,
        environment: [String: String] = [:], fileSizeLimit: Int? = nil
    ) throws {
        let metrics = (0..<metricsListeners).flatMap { _ in ["--web.listen-address", "127.0.0.1:0"] }
        let data = (0..<dataListeners).flatMap { _ in ["--data.listen-address", "127.0.0.1:0"] }
        let limit = try fileSizeLimit.map { [try MissingTool.path(of: "prlimit"), "--fsize=\($0)", "--"] } ?? []
        let command = limit + [try MapwatchProcess.binary(), "serve"] + metrics + data + arguments
        child = try ChildProcess(command[0], Array(command.dropFirst()), environment: environment)
        metricsPorts = try child.waitForErrorLines(metricsListeners, holding: ["serving metrics"])
            .map { try MapwatchProcess.port($0) }
        dataPorts = try child.waitForErrorLines(dataListeners, holding: ["serving maps"]).map {
            try MapwatchProcess.port($0)
        }
    }

    /// Sends the signal and waits for the exit.
    func terminate(_ signal: Int32) throws -> ChildProcess.Exit {
        child.signal(signal)
        return try child.waitForExit()
    }

    /// A keep-alive connection to the data listener, for one thread.
    func connectToData() throws -> HTTPConnection {
        try HTTPConnection(port: dataPort, timeoutSeconds: 60)
    }

    /// One request to the data listener.
    func data(_ method: String, _ target: String, body: [UInt8] = []) throws -> HTTPClientResponse {
        let connection = try connectToData()
        defer { connection.close() }
        return try connection.request(method, target, body: body)
    }

    /// One request to the data listener with a body of text.
    func data(_ method: String, _ target: String, body: String) throws -> HTTPClientResponse {
        try data(method, target, body: Array(body.utf8))
    }

    /// One request to a metrics listener, the first unless another is named.
    func web(
        _ method: String, _ target: String, headers: [(String, String)] = [], listener: Int = 0
    ) throws -> HTTPClientResponse {
        let connection = try HTTPConnection(port: metricsPorts[listener], timeoutSeconds: 60)
        defer { connection.close() }
        return try connection.request(method, target, headers: headers)
    }

    /// A scrape, checked line by line.
    func scrape(_ target: String = "/metrics") throws -> CheckedExposition {
        try CheckedExposition(web("GET", target).body)
    }

    /// The binary that was built with this test bundle, or `MAPWATCH_BINARY`.
    static func binary() throws -> String {
        let named = ProcessInfo.processInfo.environment["MAPWATCH_BINARY"]
        let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = named ?? URL(fileURLWithPath: bundle).deletingLastPathComponent().path + "/mapwatch"
        guard unsafe access(path, X_OK) == 0 else {
            throw ChildProblem(description: "there is no program \(path); build it or set MAPWATCH_BINARY")
        }
        return path
    }

    /// Runs another command of the binary, or a `serve` that is expected to end by itself.
    static func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (exit: ChildProcess.Exit, output: String, errors: String) {
        try ChildProcess.run(binary(), arguments, environment: environment)
    }

    /// The port in a log line such as `… url=http://127.0.0.1:43121/metrics`.
    private static func port(_ line: String) throws -> UInt16 {
        let authority = line.range(of: "://").map { line[$0.upperBound...].prefix { $0 != "/" } }
        guard let digits = authority?.split(separator: ":").last, let port = UInt16(digits) else {
            throw ChildProblem(description: "no port in: \(line)")
        }
        return port
    }
}
