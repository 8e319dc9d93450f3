/// The user and the password of an `Authorization: Basic` line.
struct BasicCredentials {
    let user: [UInt8]
    let password: [UInt8]

    /// Nil for other schemes, for what is no base64, and for a user or password with a NUL, which no hash can hold.
    init?(_ line: String) {
        let parts = line.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, equalsIgnoringCase(String(parts[0]), "Basic"),
            let bytes = Self.decoded(Array(parts[1].utf8)), !bytes.contains(0),
            let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        user = Array(bytes[..<colon])
        password = Array(bytes[(colon + 1)...])
    }

    /// Base64 with or without its padding.
    private static func decoded(_ text: [UInt8]) -> [UInt8]? {
        let padding = text.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2, (text.count - padding) % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in text.dropLast(padding) {
            guard let value = value(of: character) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case 0x41...0x5a: character - 0x41
        case 0x61...0x7a: character - 0x61 + 26
        case 0x30...0x39: character - 0x30 + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
