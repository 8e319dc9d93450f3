// What GnuTLS has made of one `TLSSettings`; each connection holds the one that it began with.
//
// Why: certificates change while connections are open. libmicrohttpd would take one certificate for its life; but it
// makes a session before it reports the connection, and the handshake begins after. So there each session is given the
// credentials, the versions and the request for a client certificate that hold at that moment, and old ones go with their
// last connection.

import CGnuTLS

/// Credentials and priorities.
///
/// Safety: both are made once, only read after, as GnuTLS allows from any thread, and freed with the last reference,
/// which the sessions' connections hold.
@safe
final class TLSCredentials: @unchecked Sendable {
    let settings: TLSSettings
    private let credentials: gnutls_certificate_credentials_t
    private let priority: gnutls_priority_t

    /// Throws `HTTPServerError` of kind `invalidTLS` that says which part GnuTLS does not take.
    init(_ settings: TLSSettings) throws(HTTPServerError) {
        var credentials: gnutls_certificate_credentials_t?
        var culprit: Int32 = 0
        let trust = settings.clientAuthorities ?? []
        // Safety: the bytes are read during the call, and the out parameter is a local.
        let status = unsafe settings.certificate.withUnsafeBytes { certificate in
            unsafe settings.key.withUnsafeBytes { key in
                unsafe trust.withUnsafeBytes { trusted in
                    unsafe ctls_make_credentials(
                        &credentials, certificate.baseAddress, certificate.count, key.baseAddress, key.count,
                        settings.clientAuthorities == nil ? nil : trusted.baseAddress, trusted.count,
                        settings.clientAuthentication.verifies ? 1 : 0, &culprit)
                }
            }
        }
        guard status == 0, let credentials = unsafe credentials else {
            throw .invalidTLS(
                culprit == 0 ? "certificate and key" : "client CA", because: TLSCredentials.text(of: status))
        }
        var priority: gnutls_priority_t?
        let prioritized = unsafe ctls_make_priority(&priority, settings.priority)
        guard prioritized == 0, let priority = unsafe priority else {
            unsafe gnutls_certificate_free_credentials(credentials)
            throw .invalidTLS("versions and cipher suites", because: TLSCredentials.text(of: prioritized))
        }
        self.settings = settings
        unsafe self.credentials = credentials
        unsafe self.priority = priority
    }

    deinit {
        unsafe gnutls_certificate_free_credentials(credentials)
        unsafe gnutls_priority_deinit(priority)
    }

    /// Gives a session what it is to use; false when GnuTLS refuses, and then the connection must not live.
    ///
    /// Safety: `session` is a session whose handshake has not begun, and this object outlives it.
    @unsafe
    func apply(to session: UnsafeMutableRawPointer) -> Bool {
        let request: Int32 =
            switch settings.clientAuthentication {
            case .none: 0
            case .request, .verifyIfGiven: 1
            case .requireAny, .requireAndVerify: 2
            }
        return unsafe ctls_apply(session, credentials, priority, request) == 0
    }

    private static func text(of status: Int32) -> String {
        guard let text = unsafe gnutls_strerror(status) else { return "error \(status)" }
        return unsafe String(cString: text)
    }
}
