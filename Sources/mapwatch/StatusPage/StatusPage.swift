// What a browser sees at `/` of the metrics listener. The files beside this one are built into the program, so that there
// is nothing to install next to it:
//
//     page.html ──┬── status.css
//                 └── status.js, charts.js ──each second──▶ /api/v1/status?map=…
//
// A map's name, a scraper's above all, may come from a stranger. The script writes text nodes only, and the policy below
// lets no other script run, whatever got into the page.

import HTTPServer

/// The status page and what it loads.
enum StatusPage {
    private static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    static func routes(telemetryPath: String) -> [Route] {
        [
            asset("/", page(telemetryPath: telemetryPath), "text/html; charset=utf-8"),
            asset("/status.css", PackageResources.status_css, "text/css; charset=utf-8"),
            asset("/charts.js", PackageResources.charts_js, "text/javascript; charset=utf-8"),
            asset("/status.js", PackageResources.status_js, "text/javascript; charset=utf-8"),
            asset("/icon.svg", PackageResources.icon_svg, "image/svg+xml"),
        ]
    }

    private static func asset(_ path: String, _ body: [UInt8], _ contentType: String) -> Route {
        var response = HTTPResponse.bytes(body, contentType: contentType)
        response.headers += [
            ("Content-Security-Policy", policy), ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-cache"),
        ]
        let answer = response
        return Route(.get, path, name: "page") { _, _ in answer }
    }

    /// The page with the path of the metrics in its links.
    private static func page(telemetryPath: String) -> [UInt8] {
        let pieces = String(decoding: PackageResources.page_html, as: UTF8.self).split(
            separator: "{telemetry-path}", omittingEmptySubsequences: false)
        return Array(pieces.joined(separator: escaped(telemetryPath)).utf8)
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            case "<": result += "&lt;"
            default: result.append(character)
            }
        }
    }
}
