extension [UInt8] {
    /// Appends `text` as a JSON string with its quotes; control bytes are escaped, other Unicode stands as it is.
    public mutating func appendJSONString(_ text: String) {
        append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0x08: append(contentsOf: "\\b".utf8)
            case 0x09: append(contentsOf: "\\t".utf8)
            case 0x0a: append(contentsOf: "\\n".utf8)
            case 0x0c: append(contentsOf: "\\f".utf8)
            case 0x0d: append(contentsOf: "\\r".utf8)
            case 0x00..<0x20, 0x7f:
                append(contentsOf: "\\u00".utf8)
                append(JSONDigits.hex[Int(byte >> 4)])
                append(JSONDigits.hex[Int(byte & 15)])
            default: append(byte)
            }
        }
        append(UInt8(ascii: "\""))
    }
}

private enum JSONDigits {
    static let hex = Array("0123456789abcdef".utf8)
}
