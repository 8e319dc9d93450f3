// The lists of `Accept` and `Accept-Encoding` (RFC 9110, 12.4.2 and 12.5):
//
//     application/openmetrics-text;version=1.0.0;q=0.5, text/plain;version="0.0.4";q=0.2, */*;q=0.1
//     gzip;q=1.0, identity; q=0.5, *;q=0
//
// An item that is malformed is left out, and the others hold: a scrape must not fail for a header. Bounded by the
// server's bound on headers; cost linear in the bytes.

/// One item of a header that lists what a client takes, with how much it likes it.
struct WeightedItem: Equatable {
    /// In lower case: `text/plain`, `gzip`, `*/*`.
    let name: String
    /// Names in lower case; without `q` and what stands behind it.
    let parameters: [String: String]
    /// `q` in thousandths: 0 for never, 1000 when it is not given.
    let quality: Int

    /// The well-formed items of a header, in order.
    static func parse(_ header: String) -> [WeightedItem] {
        split(header.utf8[...], at: UInt8(ascii: ",")).compactMap { WeightedItem($0) }
    }

    private init?(_ text: Substring.UTF8View) {
        let parts = WeightedItem.split(text, at: UInt8(ascii: ";")).map { WeightedItem.trim($0) }
        guard let first = parts.first, WeightedItem.isMediaRange(first) else { return nil }
        var parameters: [String: String] = [:]
        var quality = 1000
        for part in parts.dropFirst() where !part.isEmpty {
            guard let mark = part.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = String(Substring(part[..<mark])).lowercased()
            let value = part[part.index(after: mark)...]
            guard !name.isEmpty, name.utf8.allSatisfy(WeightedItem.isTokenByte) else { return nil }
            if name == "q" {
                guard let thousandths = WeightedItem.thousandths(value) else { return nil }
                quality = thousandths
                break
            }
            guard let unquoted = WeightedItem.unquote(value) else { return nil }
            parameters[name] = unquoted
        }
        self.name = String(Substring(first)).lowercased()
        self.parameters = parameters
        self.quality = quality
    }

    /// Splits where `separator` stands outside of quotes.
    private static func split(_ text: Substring.UTF8View, at separator: UInt8) -> [Substring.UTF8View] {
        var parts: [Substring.UTF8View] = []
        var start = text.startIndex
        var index = start
        var isQuoted = false
        while index < text.endIndex {
            let byte = text[index]
            let next = text.index(after: index)
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if isQuoted, byte == UInt8(ascii: "\\"), next < text.endIndex {
                index = text.index(after: next)
                continue
            }
            if !isQuoted, byte == separator {
                parts.append(text[start..<index])
                start = next
            }
            index = next
        }
        parts.append(text[start...])
        return parts
    }

    private static func trim(_ text: Substring.UTF8View) -> Substring.UTF8View {
        let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        var text = text
        while let first = text.first, isSpace(first) { text.removeFirst() }
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }

    /// A token, or two with a slash between them.
    private static func isMediaRange(_ text: Substring.UTF8View) -> Bool {
        let parts = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return (1...2).contains(parts.count) && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(isTokenByte) }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// `0`, `0.5`, `0.123`, `1`, `1.000`; nil for anything else.
    private static func thousandths(_ text: Substring.UTF8View) -> Int? {
        let digits = Array(text)
        guard let whole = digits.first, whole == UInt8(ascii: "0") || whole == UInt8(ascii: "1"), digits.count <= 5
        else { return nil }
        guard digits.count == 1 || digits[1] == UInt8(ascii: ".") else { return nil }
        var value = whole == UInt8(ascii: "1") ? 1000 : 0
        var unit = 100
        for digit in digits.dropFirst(2) {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value += Int(digit - UInt8(ascii: "0")) * unit
            unit /= 10
        }
        return value <= 1000 ? value : nil
    }

    /// A token as it is, or what stands in quotes, with `\x` as `x`; nil where a quote stands inside of the quotes.
    private static func unquote(_ text: Substring.UTF8View) -> String? {
        guard text.first == UInt8(ascii: "\"") else {
            return text.allSatisfy(isTokenByte) ? String(Substring(text)) : nil
        }
        guard text.count >= 2, text.last == UInt8(ascii: "\"") else { return nil }
        var bytes: [UInt8] = []
        var rest = text.dropFirst().dropLast()
        while let byte = rest.popFirst() {
            guard byte != UInt8(ascii: "\"") else { return nil }
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escaped = rest.popFirst() else { return nil }
            bytes.append(escaped)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
