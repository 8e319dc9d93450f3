extension CheckedExposition {
    /// What has been read so far: the finished families and the one that is being read.
    struct Checker {
        private(set) var families: [Family] = []
        private var names: Set<String> = []
        private var series: Set<Series> = []
        /// The family whose HELP has come; its type is nil until TYPE has come too.
        private var open: (name: String, help: String, type: String?, samples: [Sample])?

        private struct Series: Hashable {
            let name: String
            let labels: [String: String]
        }

        mutating func read(_ line: Substring) throws(ExpositionProblem.Kind) {
            guard !line.isEmpty else { throw .emptyLine }
            if line.utf8.first == UInt8(ascii: "#") { try readComment(line) } else { try readSample(line) }
        }

        /// Closes the family that is being read.
        mutating func endFamily() throws(ExpositionProblem.Kind) {
            guard let family = open else { return }
            guard let type = family.type else { throw .missingType(family.name) }
            guard !family.samples.isEmpty else { throw .familyWithoutSamples(family.name) }
            if type == "histogram" { try CheckedExposition.checkHistograms(family.name, family.samples) }
            families.append(Family(name: family.name, type: type, help: family.help, samples: family.samples))
            open = nil
        }

        private mutating func readComment(_ line: Substring) throws(ExpositionProblem.Kind) {
            let parts = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
            guard parts.count == 4, parts[0] == "#" else { throw .malformedComment }
            let name = String(parts[2])
            guard CheckedExposition.isName(parts[2], mayHoldColon: true) else { throw .badName(name) }
            switch parts[1] {
            case "HELP": try beginFamily(name, help: parts[3])
            case "TYPE": try setType(name, String(parts[3]))
            default: throw .malformedComment
            }
        }

        private mutating func beginFamily(_ name: String, help: Substring) throws(ExpositionProblem.Kind) {
            if open?.name == name { throw .duplicateHelp(name) }
            try endFamily()
            guard !names.contains(name) else { throw .duplicateFamily(name) }
            if let last = families.last?.name, !last.utf8.lexicographicallyPrecedes(name.utf8) {
                throw .unsortedFamily(name, after: last)
            }
            names.insert(name)
            open = (name, try CheckedExposition.unescape(help, quotes: false), nil, [])
        }

        private mutating func setType(_ name: String, _ type: String) throws(ExpositionProblem.Kind) {
            guard ["counter", "gauge", "histogram", "summary", "untyped"].contains(type) else {
                throw .unknownType(type)
            }
            guard let family = open, family.name == name else {
                throw names.contains(name) ? .duplicateFamily(name) : .missingHelp(name)
            }
            guard family.samples.isEmpty else { throw .typeAfterSamples(name) }
            guard family.type == nil else { throw .duplicateFamily(name) }
            open?.type = type
        }

        private mutating func readSample(_ line: Substring) throws(ExpositionProblem.Kind) {
            let sample = try CheckedExposition.parseSample(line)
            guard let family = open, CheckedExposition.names(of: family.name, family.type).contains(sample.name) else {
                let known = families.contains { CheckedExposition.names(of: $0.name, $0.type).contains(sample.name) }
                throw known ? .interleavedFamily(sample.name) : .missingHelp(sample.name)
            }
            // A TYPE that comes later is one after samples: remember them until the family ends.
            guard series.insert(Series(name: sample.name, labels: sample.labels)).inserted else {
                throw .duplicateSeries(String(line))
            }
            open?.samples.append(sample)
        }
    }

    /// The names that a family's lines may have.
    private static func names(of family: String, _ type: String?) -> [String] {
        switch type {
        case "histogram": [family + "_bucket", family + "_sum", family + "_count"]
        case "summary": [family, family + "_sum", family + "_count"]
        default: [family]
        }
    }

    private static func isName(_ text: Substring, mayHoldColon: Bool) -> Bool {
        guard let first = text.utf8.first, !isDigit(first) else { return false }
        return text.utf8.allSatisfy { byte in
            let letter = byte | 0x20
            return isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter)
                || byte == UInt8(ascii: "_") || (mayHoldColon && byte == UInt8(ascii: ":"))
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func unescape(_ text: Substring, quotes: Bool) throws(ExpositionProblem.Kind) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "n"): bytes.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "\"") where quotes: bytes.append(UInt8(ascii: "\""))
            default: throw .badEscape
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension CheckedExposition {
    /// One line: a name, perhaps labels in braces, one space, a value, nothing else.
    private static func parseSample(_ line: Substring) throws(ExpositionProblem.Kind) -> Sample {
        var rest = line.utf8[...]
        let name = line.utf8.prefix { $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: " ") }
        guard isName(Substring(name), mayHoldColon: true) else { throw .badName(String(Substring(name))) }
        rest = rest.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == UInt8(ascii: "{") {
            rest.removeFirst()
            labels = try parseLabels(&rest)
        }
        guard rest.popFirst() == UInt8(ascii: " ") else { throw .malformedSample }
        return Sample(name: String(Substring(name)), labels: labels, value: try parseValue(Substring(rest)))
    }

    /// `name="value",…}`; braces around nothing are refused, because we print none.
    private static func parseLabels(
        _ rest: inout Substring.UTF8View.SubSequence
    ) throws(ExpositionProblem.Kind) -> [String: String] {
        var labels: [String: String] = [:]
        while true {
            let name = rest.prefix { $0 != UInt8(ascii: "=") }
            let label = String(Substring(name))
            guard isName(Substring(name), mayHoldColon: false) else { throw .badName(label) }
            rest = rest.dropFirst(name.count + 1)
            guard rest.popFirst() == UInt8(ascii: "\"") else { throw .malformedSample }
            guard labels[label] == nil else { throw .duplicateLabel(label) }
            labels[label] = try unescape(takeQuoted(&rest), quotes: true)
            switch rest.popFirst() {
            case UInt8(ascii: ","): continue
            case UInt8(ascii: "}"): return labels
            default: throw .malformedSample
            }
        }
    }

    /// What stands before the next quote that is not escaped; takes the quote too.
    private static func takeQuoted(
        _ rest: inout Substring.UTF8View.SubSequence
    ) throws(ExpositionProblem.Kind) -> Substring {
        let start = rest
        var count = 0
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return Substring(start.prefix(count)) }
            count += 1
            if byte == UInt8(ascii: "\\"), rest.popFirst() != nil { count += 1 }
        }
        throw .malformedSample
    }

    /// A number as Go prints it: `NaN`, `+Inf`, `-Inf` or a decimal.
    private static func parseValue(_ text: Substring) throws(ExpositionProblem.Kind) -> Double {
        switch text {
        case "NaN": return .nan
        case "+Inf": return .infinity
        case "-Inf": return -.infinity
        default:
            let isPlain = text.utf8.allSatisfy { byte in
                isDigit(byte)
                    || [UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e")].contains(byte)
            }
            guard isPlain, let value = Double(text) else { throw .badValue(String(text)) }
            return value
        }
    }
}
