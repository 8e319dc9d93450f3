import FlightRecorder

/// One JSON object, written member by member in the order that a reader expects.
struct JSONText {
    private var text = "{"
    private let separator: String

    /// With a line for each member, as the outermost object of a file has them, or all in one line.
    init(isOutermost: Bool = false) { separator = isOutermost ? "\n " : "" }

    /// The object closed.
    var object: String { text + (separator.isEmpty ? "}" : "\n}") }

    mutating func add(_ name: String, _ value: String) { add(name, json: TraceText.quoted(value)) }

    mutating func add(_ name: String, _ value: some BinaryInteger) { add(name, json: "\(value)") }

    /// What JSON has no number for becomes null.
    mutating func add(_ name: String, _ value: Double) { add(name, json: value.isFinite ? "\(value)" : "null") }

    mutating func add(_ name: String, _ value: Bool) { add(name, json: "\(value)") }

    /// JSON that is rendered already.
    mutating func add(_ name: String, json: String) {
        if text.utf8.count > 1 { text += separator.isEmpty ? ", " : "," }
        text += "\(separator)\(TraceText.quoted(name)): \(json)"
    }

    static func array(_ items: [String]) -> String { "[\(items.joined(separator: ","))]" }
}
