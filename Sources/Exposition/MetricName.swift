/// The name of a family: `[a-zA-Z_:][a-zA-Z0-9_:]*`, checked once, where it is written down.
public struct MetricName: Sendable, Hashable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let text: String

    /// A literal that is no metric name is a programmer's mistake and traps.
    public init(stringLiteral text: StaticString) {
        self.text = text.description
        precondition(isPrometheusName(self.text, mayHoldColon: true), "not a metric name: \(text)")
    }

    /// A name that is known only when the program runs; nil when it is none.
    package init?(checking text: String) {
        guard isPrometheusName(text, mayHoldColon: true) else { return nil }
        self.text = text
    }

    public var description: String { text }

    public static func < (left: MetricName, right: MetricName) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}

/// The data model's rule for names of metrics (with colons) and labels (without).
func isPrometheusName(_ text: String, mayHoldColon: Bool) -> Bool {
    guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
    return text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        case UInt8(ascii: ":"): mayHoldColon
        default: false
        }
    }
}
