import Exposition
package import HTTPServer

/// What a request for the metrics asks for: format, families, compression.
struct MetricsQuery {
    let format: ExpositionFormat
    /// The Content-Type; plain text when a format is only to be looked at in a browser.
    let contentType: String
    /// The names given as `name[]=`; empty for all families.
    let names: Set<String>
    let takesGzip: Bool

    /// Throws a text for the asker when `debug` names no format.
    init(_ request: HTTPRequest, offersProtobuf: Bool) throws(MetricsQueryError) {
        if let shown = request.target.firstQueryValue("debug") {
            let word = String(decoding: shown, as: UTF8.self)
            guard let format = MetricsQuery.shownFormats[word] else { throw MetricsQueryError(debug: word) }
            self.format = format
            contentType = "text/plain; charset=utf-8"
        } else {
            format = Negotiation.format(
                accept: request.headers.joined("Accept"), offersProtobuf: offersProtobuf)
            contentType = format.contentType
        }
        names = Set(request.target.queryValues("name[]").map { String(decoding: $0, as: UTF8.self) })
        takesGzip = Negotiation.takesGzip(acceptEncoding: request.headers.joined("Accept-Encoding"))
    }

    private static let shownFormats: [String: ExpositionFormat] = ["text": .text, "openmetrics": .openMetrics(nil)]

    /// The families that were asked for.
    func select(_ families: [MetricFamily]) -> [MetricFamily] {
        names.isEmpty ? families : families.filter { !names.isDisjoint(with: $0.claimedNames) }
    }
}

/// A `debug` that names no format.
struct MetricsQueryError: Error, CustomStringConvertible {
    let debug: String

    var description: String { "debug=\(debug) names no format; known are text and openmetrics" }
}

extension HTTPHeaders {
    /// The values of all lines of that name as one list; nil without any.
    package func joined(_ name: String) -> String? {
        let lines = all(name)
        return lines.isEmpty ? nil : lines.joined(separator: ",")
    }
}
