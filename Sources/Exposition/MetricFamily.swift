/// What a family's numbers mean to a scraper.
public enum MetricType: String, Sendable {
    /// Only grows, but for a restart.
    case counter
    /// Goes both ways.
    case gauge
}

/// All series of one name: what a collector returns and a renderer prints.
public struct MetricFamily: Sendable {
    public let name: MetricName
    public let type: MetricType
    /// One sentence for a person; printed escaped.
    public let help: String
    /// In the order in which they are printed.
    public var samples: [MetricSample]

    public init(_ name: MetricName, _ type: MetricType, help: String, samples: [MetricSample] = []) {
        self.name = name
        self.type = type
        self.help = help
        self.samples = samples
    }

    /// A family of one series without labels.
    public init(_ name: MetricName, _ type: MetricType, help: String, value: MetricValue) {
        self.init(name, type, help: help, samples: [MetricSample(LabelSet(), value)])
    }

    /// Adds one series.
    public mutating func append(_ labels: LabelSet, _ value: MetricValue) {
        samples.append(MetricSample(labels, value))
    }
}

/// One series with its value now.
public struct MetricSample: Sendable {
    public let labels: LabelSet
    public let value: MetricValue

    public init(_ labels: LabelSet, _ value: MetricValue) {
        self.labels = labels
        self.value = value
    }
}

/// A number, kept exact until it is printed.
public enum MetricValue: Sendable, Equatable {
    case count(UInt64)
    case signed(Int64)
    case real(Double)
    /// Printed in seconds, the base unit.
    case nanoseconds(UInt64)
}

/// The name of a family: `[a-zA-Z_:][a-zA-Z0-9_:]*`, checked once, where it is written down.
public struct MetricName: Sendable, Hashable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let text: String

    /// A literal that is no metric name is a programmer's mistake and traps.
    public init(stringLiteral text: StaticString) {
        self.text = text.description
        precondition(isPrometheusName(self.text, mayHoldColon: true), "not a metric name: \(text)")
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
