import Foundation
import TestSupport

/// A Prometheus of the machine on a free port, with a database that goes with it.
final class PrometheusServer: Sendable {
    private let folder: TemporaryFolder
    private let child: ChildProcess
    let port: UInt16

    /// Starts with this configuration and waits until it listens; `features` is a list for `--enable-feature`.
    init(configuration: String, features: String = "") throws {
        folder = try TemporaryFolder()
        let file = try folder.write("prometheus.yml", configuration)
        child = try ChildProcess(
            MissingTool.path(of: "prometheus"),
            [
                "--config.file=\(file)", "--storage.tsdb.path=\(folder.path)/data",
                "--web.listen-address=127.0.0.1:0", "--enable-feature=\(features)",
            ])
        let line = try child.waitForErrorLine("msg=\"Listening on\"")
        guard let digits = line.split(separator: ":").last, let port = UInt16(digits) else {
            throw ChildProblem(description: "no port in: \(line)")
        }
        self.port = port
        _ = try child.waitForErrorLine("Server is ready to receive web requests")
    }

    /// What it has logged as an error or a warning.
    var complaints: [String] {
        child.errorLines.filter { $0.contains("level=error") || $0.contains("level=warn") }
    }

    /// One row of an instant vector.
    struct Row: Decodable {
        let metric: [String: String]
        let value: Double

        private enum Keys: CodingKey { case metric, value }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            metric = try container.decode([String: String].self, forKey: .metric)
            var pair = try container.nestedUnkeyedContainer(forKey: .value)
            _ = try pair.decode(Double.self)
            let text = try pair.decode(String.self)
            // As Prometheus prints them: NaN, +Inf and -Inf are Swift's words too, but for the plus.
            guard let number = Double(text.hasPrefix("+") ? String(text.dropFirst()) : text) else {
                throw ChildProblem(description: "no number: \(text)")
            }
            value = number
        }
    }

    /// A scraped target as the targets page shows it.
    struct Target: Decodable {
        let scrapeUrl: String
        let lastError: String
        let health: String
    }

    /// Evaluates an expression, at the given second since 1970 or now.
    func query(_ expression: String, at time: Double? = nil) throws -> [Row] {
        struct Vector: Decodable {
            let result: [Row]
        }
        var target = "/api/v1/query?query=\(percentEncoded(expression.utf8))"
        if let time { target += "&time=\(time)" }
        return try get(target, as: Vector.self).result
    }

    /// The one value of an expression; nil when there is no row.
    func value(_ expression: String, at time: Double? = nil) throws -> Double? {
        let rows = try query(expression, at: time)
        guard rows.count <= 1 else {
            throw ChildProblem(description: "\(rows.count) rows, not one: \(expression)")
        }
        return rows.first?.value
    }

    /// One exemplar as Prometheus has stored it.
    struct StoredExemplar: Decodable {
        let labels: [String: String]
        let value: String
    }

    /// The exemplars of the last minutes of every series that an expression names.
    func exemplars(_ expression: String) throws -> [StoredExemplar] {
        struct Series: Decodable {
            let exemplars: [StoredExemplar]
        }
        let now = Date().timeIntervalSince1970
        let target =
            "/api/v1/query_exemplars?query=\(percentEncoded(expression.utf8))&start=\(now - 600)&end=\(now + 600)"
        return try get(target, as: [Series].self).flatMap(\.exemplars)
    }

    func targets() throws -> [Target] {
        struct Targets: Decodable {
            let activeTargets: [Target]
        }
        return try get("/api/v1/targets", as: Targets.self).activeTargets
    }

    private struct Envelope<Content: Decodable>: Decodable {
        let data: Content
    }

    private func get<Answer: Decodable>(_ target: String, as type: Answer.Type) throws -> Answer {
        let answer = try HTTPClient.request("GET", target, port: port)
        guard answer.status == 200 else {
            throw ChildProblem(description: "Prometheus answered \(answer.status) to \(target): \(answer.text)")
        }
        return try JSONDecoder().decode(Envelope<Answer>.self, from: Data(answer.body)).data
    }
}
