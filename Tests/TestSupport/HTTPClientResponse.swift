/// What the server answered.
public struct HTTPClientResponse: Sendable {
    public let status: Int
    /// The header lines in order.
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]

    /// The value of the first header line of that name, without regard to case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The values of all header lines of that name, in order.
    public func headers(_ name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// The body as text; bytes that are not UTF-8 become U+FFFD.
    public var text: String { String(decoding: body, as: UTF8.self) }
}

/// Why a client's call failed.
public enum HTTPClientError: Error, Equatable, CustomStringConvertible {
    /// A system call failed, with its errno.
    case system(String, Int32)
    /// Nothing came within the timeout.
    case timedOut
    /// The peer closed before a whole response had come; with the bytes that had.
    case closed(received: Int)
    /// What came is not HTTP.
    case malformed(String)

    public var description: String {
        switch self {
        case .system(let call, let number): "\(call) failed (errno \(number))"
        case .timedOut: "timed out waiting for the server"
        case .closed(let received): "the server closed the connection after \(received) bytes of a response"
        case .malformed(let text): "not an HTTP response: \(text)"
        }
    }
}
