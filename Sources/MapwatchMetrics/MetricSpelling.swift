// swift-metrics takes any text as a label or dimension; Prometheus takes letters, digits and underscores.
//
//     counter  "http.requests"     http_requests_total
//     timer    "db-query"          db_query_seconds
//     gauge    "map_entries"       app_map_entries       (what mapwatch itself counts keeps its names)

/// How names of swift-metrics are written in Prometheus' way.
enum MetricSpelling {
    enum Kind: Sendable {
        case counter, gauge, histogram, duration
    }

    /// The families of mapwatch itself begin so.
    private static let reserved = ["map_", "mapwatch_", "mem_map_", "go_map_", "process_"]
    /// Longer texts are cut: a caller may have let a stranger choose them.
    static let longestName = 200
    static let longestValue = 256

    /// The name of a family, without what its kind adds to it twice.
    static func name(_ label: String, _ kind: Kind) -> String {
        var name = word(label)
        if reserved.contains(where: name.hasPrefix) { name = "app_\(name)" }
        // `_total` says counter.
        while name.hasSuffix("_total") { name.removeLast("_total".count) }
        if name.isEmpty { name = "_" }
        return switch kind {
        case .counter: "\(name)_total"
        case .duration: name.hasSuffix("_seconds") ? name : "\(name)_seconds"
        case .gauge, .histogram: name
        }
    }

    /// Dimensions as labels, sorted, so that their order at the call does not matter; of two that are spelt alike the first.
    static func labels(_ dimensions: [(String, String)]) -> [(name: String, value: String)] {
        var labels: [String: String] = [:]
        for (dimension, value) in dimensions {
            var name = word(dimension)
            // `le` is a bucket's bound, and two underscores are Prometheus' own.
            if name == "le" || name == "quantile" || name.hasPrefix("__") { name = "app_\(name)" }
            if labels[name] == nil { labels[name] = String(value.prefix(longestValue)) }
        }
        return labels.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    /// ASCII letters, digits and underscores; everything else becomes an underscore.
    private static func word(_ text: String) -> String {
        var word = ""
        for scalar in text.unicodeScalars.prefix(longestName) {
            let fits = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            word.unicodeScalars.append(fits ? scalar : "_")
        }
        guard let first = word.unicodeScalars.first else { return "_" }
        return ("0"..."9").contains(first) ? "_\(word)" : word
    }
}
