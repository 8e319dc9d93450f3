/// The header lines of a request in the order of arrival; names compare without regard to ASCII case.
///
/// A value type. Lookups walk the lines: a request holds few, and the connection's memory (32 KiB) bounds them.
public struct HTTPHeaders: Sendable, Sequence, ExpressibleByArrayLiteral {
    /// One line as it arrived; bytes that are not UTF-8 are replaced by U+FFFD.
    public struct Line: Sendable, Equatable {
        public let name: String
        public let value: String
    }

    private var lines: [Line] = []

    public init() {}

    public init(arrayLiteral elements: (String, String)...) {
        for (name, value) in elements {
            append(name: name, value: value)
        }
    }

    public mutating func append(name: String, value: String) {
        lines.append(Line(name: name, value: value))
    }

    /// The value of the first line of that name.
    public func first(_ name: String) -> String? {
        lines.first { equalsIgnoringCase($0.name, name) }?.value
    }

    /// The values of all lines of that name, in order.
    public func all(_ name: String) -> [String] {
        lines.filter { equalsIgnoringCase($0.name, name) }.map(\.value)
    }

    public var count: Int { lines.count }

    public func makeIterator() -> IndexingIterator<[Line]> {
        lines.makeIterator()
    }
}

/// Equality of two texts but for the case of ASCII letters.
func equalsIgnoringCase(_ one: String, _ other: String) -> Bool {
    one.utf8.elementsEqual(other.utf8) { asciiLowercased($0) == asciiLowercased($1) }
}

private func asciiLowercased(_ byte: UInt8) -> UInt8 {
    byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
}
