/// What a family's numbers mean to a scraper.
public enum MetricType: String, Sendable {
    /// Only grows, but for a restart.
    case counter
    /// Goes both ways.
    case gauge
    /// Observations counted by size; its series are ``HistogramValue``s.
    case histogram
}

/// All series of one name: what a collector returns and a renderer prints.
public struct MetricFamily: Sendable {
    public let name: MetricName
    public let type: MetricType
    /// One sentence for a person; printed escaped.
    public let help: String
    /// In the order in which they are printed.
    package private(set) var series: [Series] = []

    package enum Series: Sendable {
        case sample(LabelSet, MetricValue)
        case column(LabelTable, MetricColumn)
        case histogram(LabelSet, HistogramValue)
    }

    /// How many lines it prints beside HELP and TYPE: each bucket of a histogram is a series to a scraper.
    public var seriesCount: Int {
        series.reduce(0) { count, series in
            switch series {
            case .sample: count + 1
            case .column(let labels, _): count + labels.count
            case .histogram(_, let value): count + value.counts.count + 2
            }
        }
    }

    public init(_ name: MetricName, _ type: MetricType, help: String, samples: [MetricSample] = []) {
        self.name = name
        self.type = type
        self.help = help
        for sample in samples { append(sample.labels, sample.value) }
    }

    /// A family of one series without labels.
    public init(_ name: MetricName, _ type: MetricType, help: String, value: MetricValue) {
        self.init(name, type, help: help, samples: [MetricSample(LabelSet(), value)])
    }

    /// A histogram without series yet.
    public init(histogram name: MetricName, help: String) {
        self.init(name, .histogram, help: help)
    }

    /// Adds one series. To add a number to a histogram is a programmer's mistake and traps.
    public mutating func append(_ labels: LabelSet, _ value: MetricValue) {
        precondition(type != .histogram, "\(name) is a histogram and takes no single number")
        series.append(.sample(labels, value))
    }

    /// Adds a series a row. A column of another length than the table, or to a histogram, is a programmer's mistake and
    /// traps. Cost: constant; nothing is copied.
    public mutating func append(_ labels: LabelTable, _ values: MetricColumn) {
        precondition(type != .histogram, "\(name) is a histogram and takes no single numbers")
        precondition(labels.count == values.count, "\(values.count) numbers for \(labels.count) rows of labels")
        if labels.count > 0 { series.append(.column(labels, values)) }
    }

    /// Adds one series to a histogram. To add it to another type is a programmer's mistake and traps.
    public mutating func append(_ labels: LabelSet, _ value: HistogramValue) {
        precondition(type == .histogram, "\(name) is a \(type.rawValue) and takes no histogram")
        series.append(.histogram(labels, value))
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

    /// As a format without decimals has it, in the base unit; counts above 2^53 are rounded.
    package var double: Double {
        switch self {
        case .count(let count): Double(count)
        case .signed(let number): Double(number)
        case .real(let number): number
        case .nanoseconds(let nanoseconds): Double(nanoseconds) / 1e9
        }
    }
}
