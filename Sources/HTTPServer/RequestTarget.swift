// The request target, parsed from the bytes that the client sent.
//
// Why from the raw bytes: libmicrohttpd hands its decoded URL on as a C string, so that %00 cuts it short and a %2F
// inside a key looks like a separator. Here the path is split at `/` first and each segment is decoded after, to
// bytes, never to a string: a map's key may hold any byte, `/` and NUL among them.
//
// Strict on purpose, because a lenient reading is how two programs come to disagree about one request: the target
// starts with `/`, holds only 0x21…0x7e, no `#`, and each `%` is followed by two hex digits. Absolute form
// (`GET http://host/`) is refused: this is no proxy. `.` and `..` are ordinary segments; nothing here is a file.
//
// Bounds: 8 KiB of target, 64 query items.

/// The path and query of a request, split and percent-decoded.
public struct RequestTarget: Sendable, Equatable {
    /// One `name=value` of the query, decoded; `+` stays a plus, and an item without `=` has an empty value.
    public struct QueryItem: Sendable, Equatable {
        public let name: [UInt8]
        public let value: [UInt8]

        public init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// Why a target is refused.
    public enum ParseError: Error, Sendable, Equatable {
        case tooLong(limit: Int)
        case notOriginForm
        case forbiddenByte(UInt8, offset: Int)
        case invalidEscape(offset: Int)
        case tooManyQueryItems(limit: Int)
    }

    public static let maximumLength = 8 * 1024
    public static let maximumQueryItems = 64

    /// The raw path, before the `?`, still encoded.
    public let path: String
    /// The decoded segments, empty ones kept: "/" is [""], "/a/" is ["a", ""].
    public let segments: [[UInt8]]
    /// The decoded query items in order; empty ones ("a&&b") are skipped.
    public let query: [QueryItem]

    /// Parses the bytes between method and version; cost is linear in their number.
    public init(parsing raw: [UInt8]) throws(ParseError) {
        guard raw.count <= Self.maximumLength else { throw .tooLong(limit: Self.maximumLength) }
        guard raw.first == UInt8(ascii: "/") else { throw .notOriginForm }
        try Self.checkBytes(raw)
        let mark = raw.firstIndex(of: UInt8(ascii: "?"))
        let pathBytes = raw[..<(mark ?? raw.endIndex)]
        path = String(decoding: pathBytes, as: UTF8.self)
        segments = pathBytes.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map(percentDecoded)
        query = try Self.queryItems(mark.map { raw[($0 + 1)...] } ?? [])
    }

    /// The value of the first query item of that name, or nil.
    public func firstQueryValue(_ name: String) -> [UInt8]? {
        query.first { $0.name.elementsEqual(name.utf8) }?.value
    }

    /// The values of all query items of that name, in order.
    public func queryValues(_ name: String) -> [[UInt8]] {
        query.filter { $0.name.elementsEqual(name.utf8) }.map(\.value)
    }

    private static func checkBytes(_ raw: [UInt8]) throws(ParseError) {
        for (offset, byte) in raw.enumerated() {
            guard byte >= 0x21, byte <= 0x7e, byte != UInt8(ascii: "#") else {
                throw .forbiddenByte(byte, offset: offset)
            }
            if byte == UInt8(ascii: "%") {
                guard offset + 2 < raw.count, hexDigit(raw[offset + 1]) != nil, hexDigit(raw[offset + 2]) != nil
                else {
                    throw .invalidEscape(offset: offset)
                }
            }
        }
    }

    private static func queryItems(_ bytes: ArraySlice<UInt8>) throws(ParseError) -> [QueryItem] {
        var items: [QueryItem] = []
        for item in bytes.split(separator: UInt8(ascii: "&")) {
            guard items.count < maximumQueryItems else { throw .tooManyQueryItems(limit: maximumQueryItems) }
            let equals = item.firstIndex(of: UInt8(ascii: "="))
            items.append(
                QueryItem(
                    name: percentDecoded(item[..<(equals ?? item.endIndex)]),
                    value: equals.map { percentDecoded(item[($0 + 1)...]) } ?? []))
        }
        return items
    }
}

/// Decodes each `%HH`; the escapes have been checked.
private func percentDecoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var index = bytes.startIndex
    while index < bytes.endIndex {
        if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.endIndex,
            let high = hexDigit(bytes[index + 1]), let low = hexDigit(bytes[index + 2])
        {
            decoded.append(high << 4 | low)
            index += 3
        } else {
            decoded.append(bytes[index])
            index += 1
        }
    }
    return decoded
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}
