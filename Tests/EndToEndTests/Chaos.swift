import TestSupport
import Testing

/// What it takes to disturb a map of a daemon, on the map `orders`.
enum Chaos {
    static let token = "0123456789abcdef-of-a-test"
    static let authorization = [("Authorization", "Bearer \(token)")]
    static let path = "/api/v1/maps/orders/perturbations"

    /// A daemon that takes perturbations, with a map `orders`.
    static func start(_ arguments: [String] = [], options: String) throws -> MapwatchProcess {
        let daemon = try MapwatchProcess(
            arguments + ["--enable-chaos"], environment: ["MAPWATCH_CHAOS_TOKEN": token])
        try #require(try daemon.data("PUT", "/api/v1/maps/orders", body: options).status == 201)
        return daemon
    }

    static func send(
        _ daemon: MapwatchProcess, _ method: String, _ target: String = path, body: String = "",
        headers: [(String, String)] = authorization
    ) throws -> HTTPClientResponse {
        let connection = try daemon.connectToData()
        defer { connection.close() }
        return try connection.request(method, target, headers: headers, body: Array(body.utf8))
    }
}
