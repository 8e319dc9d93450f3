import Exposition
import Testing

@Suite("Negotiation")
struct NegotiationTests {
    private static let accepts: [(accept: String?, format: ExpositionFormat)] = [
        (nil, .text),
        ("", .text),
        ("*/*", .text),
        // Prometheus 2.42.
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", .openMetrics(nil)
        ),
        // Prometheus 3.
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                + "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
                + "text/plain;version=0.0.4;q=0.2,*/*;q=0.1", .openMetrics(.allowUTF8)
        ),
        // Prometheus 3 with scrape_protocols: [PrometheusText1.0.0].
        ("text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5", .textOne(.allowUTF8)),
        // Firefox.
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", .text),
        ("text/plain", .text),
        ("text/*", .text),
        ("TEXT/PLAIN; Version=0.0.4", .text),
        ("text/plain;version=1.0.0", .textOne(.underscores)),
        ("text/plain;version=1.0.0;escaping=dots", .textOne(.dots)),
        ("text/plain;version=1.0.0;escaping=values", .textOne(.values)),
        ("text/plain;version=1.0.0;escaping=nonsense", .textOne(.underscores)),
        ("text/plain;version=7", .text),
        ("application/openmetrics-text", .openMetricsDraft),
        ("application/openmetrics-text;version=0.0.1", .openMetricsDraft),
        ("application/openmetrics-text; version=\"1.0.0\"; charset=utf-8", .openMetrics(nil)),
        ("application/openmetrics-text;version=2.0.0", .text),
        ("application/*", .openMetrics(nil)),
        ("application/json", .text),
        // The better q wins, wherever it stands; among equals the first that names a format.
        ("text/plain;q=0.5,application/openmetrics-text;version=1.0.0;q=0.6", .openMetrics(nil)),
        ("text/plain;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5", .text),
        ("application/openmetrics-text;version=1.0.0,text/plain", .openMetrics(nil)),
        ("text/plain,application/openmetrics-text;version=1.0.0", .text),
        ("*/*,application/openmetrics-text;version=1.0.0", .openMetrics(nil)),
        // q=0 is never, even where a wildcard would have it.
        ("text/plain;q=0,*/*;q=0.1", .openMetrics(nil)),
        ("application/openmetrics-text;version=1.0.0;q=0,text/plain;q=0.1", .text),
        ("application/openmetrics-text;version=1.0.0;q=0.000", .text),
        ("*/*;q=0", .text),
        // Garbage is left out and the rest holds.
        (",,;;,=,/,text/,/plain,\"", .text),
        ("text plain, application/openmetrics-text;version=1.0.0", .openMetrics(nil)),
        ("text/plain;q=2,application/openmetrics-text;version=1.0.0;q=0.1", .openMetrics(nil)),
        ("application/openmetrics-text;version=1.0.0;q=x,text/plain;q=0.1", .text),
        ("application/openmetrics-text;version=1.0.0;q=-1", .text),
        ("application/openmetrics-text;version=1.0.0;q=0.1234", .text),
        ("x/y;a=\"a,b;q=0\",application/openmetrics-text;version=1.0.0", .openMetrics(nil)),
        ("x/y;a=\"\\\",\",application/openmetrics-text;version=1.0.0", .openMetrics(nil)),
        ("\u{0}\u{7f}é/ü", .text),
        // A quote inside of quotes spoils the item, whatever stands behind it.
        (#"text/plain;version=1.0.0;n="0q"""#, .text), (#"text/plain;version=1.0.0;n="0q"", ;;="#, .text),
    ]

    @Test("each Accept gets the format that it likes best", arguments: accepts)
    func formats(accept: String?, format: ExpositionFormat) {
        #expect(Negotiation.format(accept: accept) == format)
    }

    private static let protobuf =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
    private static let protobufAccepts: [(accept: String, format: ExpositionFormat)] = [
        // Prometheus 2.42 with native histograms.
        (
            protobuf + ",application/openmetrics-text;version=1.0.0;q=0.8,"
                + "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            .protobuf(nil)
        ),
        // Prometheus 3 with native histograms.
        (
            protobuf
                + ";escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2", .protobuf(.allowUTF8)
        ),
        (protobuf + ";q=0.4,text/plain;q=0.5", .text),
        (protobuf + ";q=0,*/*", .text),
        ("application/vnd.google.protobuf", .text),
        ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", .text),
        ("application/vnd.google.protobuf;proto=other;encoding=delimited", .text),
        ("*/*", .text), ("application/*", .openMetrics(nil)),
    ]

    @Test("protobuf is for those who name it, where it is offered", arguments: protobufAccepts)
    func protobuf(accept: String, format: ExpositionFormat) {
        #expect(Negotiation.format(accept: accept, offersProtobuf: true) == format)
        if case .protobuf = Negotiation.format(accept: accept) { Issue.record("nobody offered protobuf") }
    }

    @Test("each format has its exact Content-Type")
    func contentTypes() {
        #expect(ExpositionFormat.text.contentType == "text/plain; version=0.0.4; charset=utf-8")
        #expect(
            ExpositionFormat.textOne(.allowUTF8).contentType
                == "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8")
        #expect(
            ExpositionFormat.openMetricsDraft.contentType
                == "application/openmetrics-text; version=0.0.1; charset=utf-8")
        #expect(
            ExpositionFormat.openMetrics(nil).contentType
                == "application/openmetrics-text; version=1.0.0; charset=utf-8")
        #expect(
            ExpositionFormat.openMetrics(.underscores).contentType
                == "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores")
        #expect(
            ExpositionFormat.protobuf(nil).contentType
                == "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited")
    }

    private static let encodings: [(String?, Bool)] = [
        (nil, false), ("", false), ("gzip", true), ("GZIP", true), ("deflate, gzip;q=1.0, *;q=0.5", true),
        ("gzip;q=0", false), ("gzip;q=0.000", false), ("gzip;q=0,*", false), ("*", true), ("*;q=0", false),
        ("identity", false), ("identity;q=0.5, gzip;q=0.4", false), ("identity;q=0.4, gzip;q=0.5", true),
        ("deflate, br", false), ("x-gzip", true), ("gzip;q=nonsense", false), ("gzipped", false),
        ("gzip;q=0.001", true),
    ]

    @Test("gzip is for those who take it", arguments: encodings)
    func gzip(acceptEncoding: String?, takes: Bool) {
        #expect(Negotiation.takesGzip(acceptEncoding: acceptEncoding) == takes)
    }
}
