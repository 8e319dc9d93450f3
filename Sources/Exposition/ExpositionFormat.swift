/// A format of `/metrics`, each with the exact Content-Type without which Prometheus 3 fails a scrape.
public enum ExpositionFormat: Sendable, Hashable {
    /// Text format 0.0.4: what anybody gets who names none.
    case text
    /// Text format 1.0.0.
    case textOne(NameEscaping)
    /// OpenMetrics 0.0.1.
    case openMetricsDraft
    /// OpenMetrics 1.0.0; says how names are escaped when the scraper has asked for it.
    case openMetrics(NameEscaping?)
    /// Protobuf, each family with its length before it: the one that carries native histograms.
    case protobuf(NameEscaping?)

    public var contentType: String {
        switch self {
        case .text: "text/plain; version=0.0.4; charset=utf-8"
        case .textOne(let escaping): "text/plain; version=1.0.0; charset=utf-8; escaping=\(escaping.rawValue)"
        case .openMetricsDraft: "application/openmetrics-text; version=0.0.1; charset=utf-8"
        case .openMetrics(let escaping):
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
                + (escaping.map { "; escaping=\($0.rawValue)" } ?? "")
        case .protobuf(let escaping):
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
                + (escaping.map { "; escaping=\($0.rawValue)" } ?? "")
        }
    }

    /// How ``TextFormat`` writes it; nil for protobuf, which whoever offers it has to render.
    public var dialect: TextFormat.Dialect? {
        switch self {
        case .text, .textOne: .prometheus
        case .openMetricsDraft, .openMetrics: .openMetrics
        case .protobuf: nil
        }
    }
}

/// How names outside of ASCII would be written. Ours are all within it, so it changes no byte of a body.
public enum NameEscaping: String, Sendable, Hashable {
    case allowUTF8 = "allow-utf-8"
    case underscores
    case dots
    case values
}
