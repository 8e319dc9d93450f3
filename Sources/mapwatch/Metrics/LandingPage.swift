/// What a browser sees at `/` of the metrics listener: what this is, and where to go.
enum LandingPage {
    static func html(telemetryPath: String) -> [UInt8] {
        Array(
            """
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><title>mapwatch</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:2rem;max-width:40rem}</style>
            </head>
            <body>
            <h1>mapwatch \(Version.text)</h1>
            <p>Hosts instrumented maps and shows, shard by shard, how close each one is to an accident.</p>
            <ul>
            <li><a href="\(escaped(telemetryPath))">Metrics</a>, in Prometheus text format</li>
            <li><a href="/-/healthy">Healthy</a>: the process answers</li>
            <li><a href="/-/ready">Ready</a>: maps and listeners stand</li>
            </ul>
            </body>
            </html>

            """.utf8)
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
