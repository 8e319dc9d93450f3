package import Collectors
package import Exposition
package import HTTPServer

/// What the listeners have counted.
package struct HTTPCollector: Collector {
    package let name = "http"
    private let servers: @Sendable () -> [HTTPServer]

    /// The metrics listener shows itself too, so the servers are asked for at each scrape.
    package init(servers: @escaping @Sendable () -> [HTTPServer]) { self.servers = servers }

    package func collect(_ scrape: Scrape) -> [MetricFamily] {
        var requests = MetricFamily(
            "mapwatch_http_requests_total", .counter, help: "Requests answered, by listener, handler and status code.")
        var connections = MetricFamily("mapwatch_http_connections", .gauge, help: "Connections open now.")
        var rejected = MetricFamily(
            "mapwatch_http_rejected_total", .counter, help: "Requests that a listener refused before any handler.")
        var durations = MetricFamily(
            histogram: "mapwatch_http_request_duration_seconds",
            help: "From the request line to the last byte of the answer, as the listener sees it.")
        for server in servers() {
            let statistics = server.statistics
            durations.append(
                LabelSet(["listener": server.name]),
                HistogramValue(
                    HTTPCollector.durationBounds, counts: statistics.durations.counts,
                    sumNanoseconds: statistics.durations.sumNanoseconds))
            connections.append(
                LabelSet(["listener": server.name]), .signed(Int64(statistics.openConnections)))
            for reason in RefusalReason.allCases {
                rejected.append(
                    LabelSet(["listener": server.name, "reason": reason.rawValue]),
                    .count(statistics.refused[reason] ?? 0))
            }
            for (labels, count) in statistics.requests.sorted(by: { HTTPCollector.precedes($0.key, $1.key) }) {
                requests.append(
                    LabelSet([
                        "listener": server.name, "handler": labels.handler, "code": "\(labels.status)",
                    ]), .count(count))
            }
        }
        return [requests, connections, rejected, durations]
    }

    private static let durationBounds = HistogramBounds(nanoseconds: RequestDurations.bounds)

    private static func precedes(_ left: RequestLabels, _ right: RequestLabels) -> Bool {
        (left.handler, left.status) < (right.handler, right.status)
    }
}
