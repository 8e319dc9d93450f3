/// The name of a hosted map: 1…64 characters of `a-z`, `0-9`, `_` and `-`.
///
/// So narrow because the name stands in URLs, in label values, in file names and in log lines.
public struct MapName: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let text: String

    /// Throws ``MapNameError`` when `text` is not a name.
    public init(_ text: String) throws(MapNameError) {
        guard MapName.isValid(text.utf8) else { throw MapNameError(refused: text) }
        self.text = text
    }

    /// The same from raw bytes, as they stand in a URL.
    public init(utf8 bytes: [UInt8]) throws(MapNameError) {
        guard MapName.isValid(bytes) else {
            throw MapNameError(refused: String(decoding: bytes.prefix(256), as: UTF8.self))
        }
        text = String(decoding: bytes, as: UTF8.self)
    }

    public var description: String { text }

    public static func < (left: MapName, right: MapName) -> Bool { left.text < right.text }

    private static func isValid(_ bytes: some Collection<UInt8>) -> Bool {
        (1...64).contains(bytes.count)
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

/// A text that is no map name.
public struct MapNameError: Error, Equatable, CustomStringConvertible {
    public let refused: String

    public var description: String {
        "map name \"\(refused)\" is not 1 to 64 characters of a-z, 0-9, _ and -"
    }
}
