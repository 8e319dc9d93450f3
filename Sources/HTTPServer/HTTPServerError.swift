import Glibc

/// Why a listener, a route table or a server could not be set up.
///
/// Thrown only while setting up; whatever goes wrong with a single request is an `HTTPResponse`. `description` is one
/// line for the operator and names the value at fault.
public struct HTTPServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The step that failed.
    public enum Kind: Sendable, Equatable {
        /// The text is no listen address.
        case invalidAddress
        /// `socket`, `bind` or `listen` failed.
        case cannotListen
        /// libmicrohttpd did not start.
        case cannotStart
        /// Certificates, versions or cipher suites are not usable.
        case invalidTLS
        /// A route's pattern is malformed or stands twice.
        case invalidRoute
    }

    public let kind: Kind
    /// The system's error number; 0 when no system call failed.
    public let errorNumber: Int32
    public let description: String

    static func invalidAddress(_ text: String, because reason: String) -> HTTPServerError {
        HTTPServerError(
            kind: .invalidAddress, errorNumber: 0, description: "invalid listen address \"\(text)\": \(reason)")
    }

    static func cannotListen(on address: String, errorNumber: Int32) -> HTTPServerError {
        HTTPServerError(
            kind: .cannotListen, errorNumber: errorNumber,
            description: "cannot listen on \(address): \(systemErrorText(errorNumber))")
    }

    static func cannotStart(on address: String, errorNumber: Int32) -> HTTPServerError {
        HTTPServerError(
            kind: .cannotStart, errorNumber: errorNumber,
            description: "cannot start the server on \(address): \(systemErrorText(errorNumber))")
    }

    static func invalidTLS(_ part: String, because reason: String) -> HTTPServerError {
        HTTPServerError(kind: .invalidTLS, errorNumber: 0, description: "\(part): \(reason)")
    }

    static func invalidRoute(_ pattern: String, because reason: String) -> HTTPServerError {
        HTTPServerError(kind: .invalidRoute, errorNumber: 0, description: "invalid route \"\(pattern)\": \(reason)")
    }
}

/// "address already in use (errno 98)".
private func systemErrorText(_ errorNumber: Int32) -> String {
    var buffer: [CChar] = Array(repeating: 0, count: 128)
    // Safety: strerror_r writes within `buffer`, ends what it wrote with 0, and is thread-safe.
    let status = unsafe strerror_r(errorNumber, &buffer, buffer.count)
    let text = status == 0 ? textUpToNUL(buffer).lowercased() : "unknown error"
    return "\(text) (errno \(errorNumber))"
}

/// The text that a C function wrote into `buffer`.
func textUpToNUL(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
