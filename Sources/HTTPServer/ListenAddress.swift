/// Where to listen: a numeric address or `localhost`, and a port.
///
/// Written "127.0.0.1:10197", "[::1]:10197", "localhost:10197", or ":10197" for all interfaces; port 0 lets the
/// kernel choose. A value, and cheap to copy.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// The host without brackets; nil for all interfaces.
    public let host: String?
    public let port: UInt16
    /// The text as the operator wrote it.
    public let description: String

    /// Parses `text`; throws `HTTPServerError` of kind `invalidAddress`.
    ///
    /// Whether a host is a numeric address is decided by `ListeningSocket.bind`, which asks the system.
    public init(_ text: String) throws(HTTPServerError) {
        guard let colon = text.lastIndex(of: ":") else {
            throw .invalidAddress(text, because: "no port")
        }
        let portText = text[text.index(after: colon)...]
        guard !portText.isEmpty, portText.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let port = UInt16(portText)
        else {
            throw .invalidAddress(text, because: "the port is not a number from 0 to 65535")
        }
        self.port = port
        self.description = text
        let hostText = text[..<colon]
        if hostText.isEmpty {
            self.host = nil
        } else if hostText.hasPrefix("["), hostText.hasSuffix("]"), hostText.count > 2 {
            self.host = String(hostText.dropFirst().dropLast())
        } else if hostText.contains(":") || hostText.contains("[") || hostText.contains("]") {
            throw .invalidAddress(text, because: "an IPv6 address stands in brackets")
        } else if hostText.utf8.contains(0) {
            throw .invalidAddress(text, because: "the host holds a NUL")
        } else {
            self.host = String(hostText)
        }
    }
}
