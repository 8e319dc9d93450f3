/// The labels of one series, escaped and rendered once: `map_name="orders",shard_id="007"`.
///
/// A series lives as long as its map and is printed at every scrape, so its labels are bytes from the start. Names are
/// given in the order in which they are printed; callers keep one order for all series of a family, so that equal sets
/// are equal bytes.
public struct LabelSet: Sendable, Hashable {
    let rendered: [UInt8]

    /// No labels.
    public init() { rendered = [] }

    /// A label name that is none is a programmer's mistake and traps; values may hold anything.
    public init(_ labels: KeyValuePairs<String, String>) {
        self.init(pairs: labels.map { ($0.key, $0.value) })
    }

    /// The same from names and values that are known only when the program runs.
    package init(pairs labels: [(name: String, value: String)]) {
        var bytes: [UInt8] = []
        for (name, value) in labels {
            precondition(isPrometheusName(name, mayHoldColon: false), "not a label name: \(name)")
            if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
            bytes += name.utf8
            bytes += #"=""#.utf8
            bytes.appendEscaped(value, quotes: true)
            bytes.append(UInt8(ascii: "\""))
        }
        rendered = bytes
    }

    /// The labels as names and values, for formats that do not print them. Cost: linear in the bytes.
    package var pairs: [(name: String, value: String)] { rendered[...].labelPairs }
}

extension ArraySlice<UInt8> {
    /// What ``LabelSet`` has rendered, read back: `map_name="orders",shard_id="007"`.
    var labelPairs: [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        var rest = self
        while let mark = rest.firstIndex(of: UInt8(ascii: "=")) {
            let name = String(decoding: rest[..<mark], as: UTF8.self)
            var value: [UInt8] = []
            rest = rest[(mark + 2)...]
            while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
                guard byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() else {
                    value.append(byte)
                    continue
                }
                value.append(escaped == UInt8(ascii: "n") ? UInt8(ascii: "\n") : escaped)
            }
            pairs.append((name, String(decoding: value, as: UTF8.self)))
            // The comma, if there is one.
            rest = rest.dropFirst()
        }
        return pairs
    }
}

extension [UInt8] {
    /// Appends `text` with backslash and line feed escaped, and with `quotes` the double quote too: label values need
    /// it, HELP must not have it (text format 0.0.4, "Comments, help text, and type information").
    mutating func appendEscaped(_ text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): self += #"\\"#.utf8
            case UInt8(ascii: "\n"): self += #"\n"#.utf8
            case UInt8(ascii: "\"") where quotes: self += #"\""#.utf8
            default: append(byte)
            }
        }
    }
}
