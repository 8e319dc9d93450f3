// Which format a scraper gets. For each format that we have, the most specific range of `Accept` that matches it says
// how welcome it is; the most welcome wins. Ties go to a range that names the format, then to the range that comes first,
// then to our order, in which 0.0.4 is first: so `*/*` and no header at all are 0.0.4, and so is a header that allows
// nothing that we have, because a scraper can do more with that than with a 406.

/// Chooses by what a scraper says that it takes.
public enum Negotiation {
    /// The format for a request with this `Accept`; several lines of the header are to be joined by commas. Protobuf only
    /// for a server that offers it, and a scraper that names it: no wildcard means bytes that nobody can read.
    public static func format(accept: String?, offersProtobuf: Bool = false) -> ExpositionFormat {
        guard let accept else { return .text }
        let ranges = WeightedItem.parse(accept)
        var best: (format: ExpositionFormat, match: Match)?
        for kind in Kind.allCases where kind != .protobuf || offersProtobuf {
            guard let match = kind.match(ranges), match.quality > 0 else { continue }
            if best.map({ match.isBetter(than: $0.match) }) ?? true {
                best = (kind.format(escaping: ranges[match.position].escaping), match)
            }
        }
        return best?.format ?? .text
    }

    /// Whether a request with this `Accept-Encoding` takes gzip. Without the header nobody is surprised by it.
    public static func takesGzip(acceptEncoding: String?) -> Bool {
        guard let acceptEncoding else { return false }
        let items = WeightedItem.parse(acceptEncoding)
        let named = items.first { $0.name == "gzip" || $0.name == "x-gzip" }
        let gzip = (named ?? items.first { $0.name == "*" })?.quality ?? 0
        let identity = items.first { $0.name == "identity" }?.quality ?? 1
        return gzip > 0 && gzip >= identity
    }

    /// How a format matched.
    private struct Match {
        let quality: Int
        /// 2 for a range that names the format, 1 for `text/*`, 0 for `*/*`.
        let specificity: Int
        let position: Int

        func isBetter(than other: Match) -> Bool {
            if quality != other.quality { return quality > other.quality }
            if specificity != other.specificity { return specificity > other.specificity }
            return specificity == 2 && position < other.position
        }
    }

    /// Our formats, the one that we prefer first.
    private enum Kind: CaseIterable {
        case text, openMetrics, openMetricsDraft, textOne, protobuf

        func format(escaping: NameEscaping?) -> ExpositionFormat {
            switch self {
            case .text: .text
            case .textOne: .textOne(escaping ?? .underscores)
            case .openMetrics: .openMetrics(escaping)
            case .openMetricsDraft: .openMetricsDraft
            case .protobuf: .protobuf(escaping)
            }
        }

        /// The range that says most of this format.
        func match(_ ranges: [WeightedItem]) -> Match? {
            var best: Match?
            for (position, range) in ranges.enumerated() {
                guard let specificity = specificity(range) else { continue }
                if specificity > (best?.specificity ?? -1) {
                    best = Match(quality: range.quality, specificity: specificity, position: position)
                }
            }
            return best
        }

        private func specificity(_ range: WeightedItem) -> Int? {
            if self == .protobuf { return range.isDelimitedProtobuf ? 2 : nil }
            return switch range.name {
            case "*/*": 0
            case "text/*": isPlainText ? 1 : nil
            case "application/*": isPlainText ? nil : 1
            case "text/plain": isPlainText && version == range.parameters["version"] ?? "0.0.4" ? 2 : nil
            case "application/openmetrics-text":
                // Without a version, client_golang answers with the draft.
                !isPlainText && version == range.parameters["version"] ?? "0.0.1" ? 2 : nil
            default: nil
            }
        }

        private var isPlainText: Bool { self == .text || self == .textOne }

        private var version: String {
            switch self {
            case .text: "0.0.4"
            case .textOne, .openMetrics: "1.0.0"
            case .openMetricsDraft: "0.0.1"
            case .protobuf: ""
            }
        }
    }
}

extension WeightedItem {
    fileprivate var isDelimitedProtobuf: Bool {
        name == "application/vnd.google.protobuf" && parameters["proto"] == "io.prometheus.client.MetricFamily"
            && parameters["encoding"] == "delimited"
    }

    fileprivate var escaping: NameEscaping? { parameters["escaping"].flatMap(NameEscaping.init(rawValue:)) }
}
