// The access rules of a listener, exchanged as a whole while it serves.
//
// A change is prepared first, which finds all that can be wrong with it, and applied after, which cannot fail: so that
// several listeners change together or not at all. Requests in flight and open connections keep what they began with.

import Synchronization

/// The rules in force for one server.
///
/// All methods are safe from any thread.
public final class AccessControl: Sendable {
    /// Rules that have been checked and can be put in force.
    public struct Prepared: Sendable {
        let settings: AccessSettings
        let tls: TLSCredentials?
    }

    private let prepared: Mutex<Prepared>
    let passwords = PasswordChecker()

    /// Throws `HTTPServerError` of kind `invalidTLS`.
    public init(_ settings: AccessSettings = AccessSettings()) throws(HTTPServerError) {
        prepared = Mutex(Prepared(settings: settings, tls: try Self.credentials(settings, standing: nil)))
    }

    /// The rules in force.
    public var settings: AccessSettings { prepared.withLock { $0 }.settings }

    /// Checks new rules without applying them.
    ///
    /// Throws `HTTPServerError` of kind `invalidTLS`, also when they would turn TLS on or off, which needs new listeners.
    public func prepare(_ settings: AccessSettings) throws(HTTPServerError) -> Prepared {
        let standing = prepared.withLock { $0 }
        guard (settings.tls == nil) == (standing.tls == nil) else {
            throw .invalidTLS(
                "tls_server_config",
                because: "TLS cannot be turned \(settings.tls == nil ? "off" : "on") by a reload; restart")
        }
        return Prepared(settings: settings, tls: try Self.credentials(settings, standing: standing.tls))
    }

    /// Puts prepared rules in force, for the next request and the next connection.
    public func apply(_ new: Prepared) {
        prepared.withLock { $0 = new }
    }

    var tls: TLSCredentials? { prepared.withLock { $0.tls } }

    private static func credentials(
        _ settings: AccessSettings, standing: TLSCredentials?
    ) throws(HTTPServerError) -> TLSCredentials? {
        guard let tls = settings.tls else { return nil }
        return standing?.settings == tls ? standing : try TLSCredentials(tls)
    }
}
