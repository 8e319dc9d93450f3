import Logging

/// How a log line is written.
enum LogFormat: String, CaseIterable, Sendable {
    case logfmt
    case json
}

/// Writes one line an event to stderr, in logfmt or JSON, with one `write` each, so that lines of two threads never mix.
struct StructuredLogHandler: LogHandler {
    let format: LogFormat
    let write: @Sendable ([UInt8]) -> Void
    let now: @Sendable () -> String
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(
        format: LogFormat, level: Logger.Level, write: @escaping @Sendable ([UInt8]) -> Void,
        now: @escaping @Sendable () -> String
    ) {
        self.format = format
        logLevel = level
        self.write = write
        self.now = now
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        var fields = [("time", now()), ("level", event.level.rawValue), ("msg", event.message.description)]
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { fields.append((key, value.description)) }
        if let error = event.error { fields.append(("error", "\(error)")) }
        write(LogLine.render(fields, format))
    }
}
