/// Where to listen: a numeric address or `localhost` and a port, or the path of a unix socket.
///
/// Written "127.0.0.1:10197", "[::1]:10197", "localhost:10197", or ":10197" for all interfaces, where port 0 lets the
/// kernel choose; or "unix:/run/mapwatch.sock", after which "?mode=0660" sets the file's mode. A value, cheap to copy.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// The two kinds of addresses.
    public enum Place: Sendable, Equatable {
        /// The host without brackets; nil for all interfaces.
        case tcp(host: String?, port: UInt16)
        /// `mode` is that of the file; nil leaves it to the process' umask.
        case unix(path: String, mode: UInt32?)
    }

    /// What the kernel takes, its final NUL not counted.
    static let longestPath = 107

    public let place: Place
    /// The text as the operator wrote it.
    public let description: String

    /// Parses `text`; throws `HTTPServerError` of kind `invalidAddress`.
    ///
    /// Whether a host is a numeric address is decided by `ListeningSocket.bind`, which asks the system.
    public init(_ text: String) throws(HTTPServerError) {
        description = text
        guard !text.utf8.contains(0) else { throw .invalidAddress(text, because: "it holds a NUL") }
        place = text.hasPrefix("unix:") ? try Self.unixPlace(text) : try Self.tcpPlace(text)
    }

    private static func tcpPlace(_ text: String) throws(HTTPServerError) -> Place {
        guard let colon = text.lastIndex(of: ":") else {
            throw .invalidAddress(text, because: "no port")
        }
        let portText = text[text.index(after: colon)...]
        guard !portText.isEmpty, portText.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let port = UInt16(portText)
        else {
            throw .invalidAddress(text, because: "the port is not a number from 0 to 65535")
        }
        let host = text[..<colon]
        if host.isEmpty { return .tcp(host: nil, port: port) }
        if host.hasPrefix("["), host.hasSuffix("]"), host.count > 2 {
            return .tcp(host: String(host.dropFirst().dropLast()), port: port)
        }
        guard !host.contains(where: { ":[]".contains($0) }) else {
            throw .invalidAddress(text, because: "an IPv6 address stands in brackets")
        }
        return .tcp(host: String(host), port: port)
    }

    private static func unixPlace(_ text: String) throws(HTTPServerError) -> Place {
        var path = text.dropFirst("unix:".count)
        var mode: UInt32?
        if let mark = path.lastIndex(of: "?") {
            let option = path[path.index(after: mark)...]
            let digits = option.dropFirst("mode=".count)
            guard option.hasPrefix("mode="), let value = UInt32(digits, radix: 8), value <= 0o777 else {
                throw .invalidAddress(text, because: "after the path may stand ?mode= with an octal mode such as 0660")
            }
            mode = value
            path = path[..<mark]
        }
        guard !path.isEmpty else { throw .invalidAddress(text, because: "no path") }
        guard path.utf8.count <= longestPath else {
            throw .invalidAddress(
                text, because: "the path is \(path.utf8.count) bytes long; a unix socket's is at most \(longestPath)")
        }
        return .unix(path: String(path), mode: mode)
    }
}
