// Reads text format 0.0.4 as strictly as we promise to write it, which is stricter than Prometheus and `promtool check
// metrics`: those pass an empty body, duplicate series and families without HELP.
//
//     # HELP name text        exactly one of each a family, in this order, before its samples
//     # TYPE name type
//     name{label="value"} 1   a family's samples stand together; families are sorted by name

/// A body of text format 0.0.4 that has been checked line by line.
public struct CheckedExposition: Sendable {
    public struct Family: Sendable {
        public let name: String
        public let type: String
        public let help: String
        public internal(set) var samples: [Sample] = []
    }

    public struct Sample: Sendable, Hashable {
        /// The name on the line: the family's, or for a histogram that with `_bucket`, `_sum` or `_count`.
        public let name: String
        public let labels: [String: String]
        public let value: Double
    }

    /// In the order of the body, which is sorted by name.
    public let families: [Family]

    /// Throws ``ExpositionProblem`` with the number of the first line that is wrong.
    public init(_ body: [UInt8]) throws(ExpositionProblem) {
        guard let text = String(validating: body, as: UTF8.self) else { throw .init(line: 0, .notUTF8) }
        guard !text.isEmpty else { throw .init(line: 0, .emptyBody) }
        guard body.last == UInt8(ascii: "\n") else {
            throw .init(line: text.utf8.count { $0 == UInt8(ascii: "\n") } + 1, .missingFinalNewline)
        }
        var checker = Checker()
        let lines = text.utf8.dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            do throws(ExpositionProblem.Kind) {
                try checker.read(Substring(line))
            } catch {
                throw .init(line: index + 1, error)
            }
        }
        do throws(ExpositionProblem.Kind) {
            try checker.endFamily()
        } catch {
            throw .init(line: lines.count, error)
        }
        families = checker.families
    }

    /// The family of this name.
    public func family(_ name: String) -> Family? { families.first { $0.name == name } }

    /// The value of the series with this name and exactly these labels.
    public func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        samples(name).first { $0.labels == labels }?.value
    }

    /// The sum over all series of this name that have at least these labels; nil when there is none.
    public func sum(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let values = samples(name, labels).map(\.value)
        return values.isEmpty ? nil : values.reduce(0, +)
    }

    /// The series of this name that have at least these labels.
    public func samples(_ name: String, _ labels: [String: String] = [:]) -> [Sample] {
        families.flatMap(\.samples).filter { sample in
            sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }
    }
}

/// What is wrong with a body, and on which line (from 1; 0 for the body as a whole).
public struct ExpositionProblem: Error, Equatable, CustomStringConvertible {
    public enum Kind: Error, Equatable, Sendable {
        case emptyBody
        case notUTF8
        case missingFinalNewline
        case emptyLine
        case malformedComment
        case malformedSample
        case badName(String)
        case badEscape
        case badValue(String)
        case unknownType(String)
        case missingHelp(String)
        case missingType(String)
        case typeAfterSamples(String)
        case duplicateHelp(String)
        case duplicateFamily(String)
        case interleavedFamily(String)
        case unsortedFamily(String, after: String)
        case familyWithoutSamples(String)
        case duplicateLabel(String)
        case duplicateSeries(String)
        case badHistogram(String, HistogramFault)
    }

    /// What is wrong with a histogram.
    public enum HistogramFault: Error, Equatable, Sendable {
        /// A bucket without `le`, or another line with one.
        case misplacedBound
        /// A bound that is not written as a float: `1` instead of `1.0`.
        case badBound(String)
        /// Bounds do not ascend, or the last is not `+Inf`.
        case unorderedBounds
        /// A bucket counts less than the one below it.
        case shrinkingBuckets
        /// `_sum` or `_count` is missing or comes twice, or stands before the buckets.
        case missingSumOrCount
        /// `_count` is not what the bucket `+Inf` says.
        case countsDiffer
    }

    public let line: Int
    public let kind: Kind

    public init(line: Int, _ kind: Kind) {
        self.line = line
        self.kind = kind
    }

    public var description: String { "line \(line): \(kind)" }
}
