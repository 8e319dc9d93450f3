/// What a client must show of itself; the names are those of Go's `tls.ClientAuthType`.
public enum ClientAuthentication: String, Sendable, CaseIterable {
    case none = "NoClientCert"
    case request = "RequestClientCert"
    case requireAny = "RequireAnyClientCert"
    case verifyIfGiven = "VerifyClientCertIfGiven"
    case requireAndVerify = "RequireAndVerifyClientCert"

    /// Whether a certificate is checked against the trusted authorities.
    public var verifies: Bool { self == .verifyIfGiven || self == .requireAndVerify }
}

/// A version of TLS that is offered; older ones are not.
public enum TLSVersion: String, Sendable, CaseIterable, Comparable {
    case tls12 = "TLS12"
    case tls13 = "TLS13"

    public static func < (one: TLSVersion, other: TLSVersion) -> Bool { one == .tls12 && other == .tls13 }
}

/// A cipher suite of TLS 1.2 by its registered name: forward secrecy and authenticated encryption only.
///
/// Those of TLS 1.3 are not for choosing, as in the exporter-toolkit.
public enum TLSCipherSuite: String, Sendable, CaseIterable {
    case ecdsaAES128 = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    case ecdsaAES256 = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    case ecdsaChaCha = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
    case rsaAES128 = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    case rsaAES256 = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    case rsaChaCha = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"

    var keyExchange: String { rawValue.contains("ECDSA") ? "ECDHE-ECDSA" : "ECDHE-RSA" }

    var cipher: String {
        if rawValue.contains("AES_128") { return "AES-128-GCM" }
        return rawValue.contains("AES_256") ? "AES-256-GCM" : "CHACHA20-POLY1305"
    }
}

/// What a listener needs for TLS. Equal values are the same certificates.
public struct TLSSettings: Sendable, Equatable {
    /// The chain in PEM, the server's certificate first.
    public var certificate: [UInt8]
    /// The private key in PEM.
    public var key: [UInt8]
    /// Authorities in PEM whose clients are trusted.
    public var clientAuthorities: [UInt8]?
    public var clientAuthentication = ClientAuthentication.none
    public var minimumVersion = TLSVersion.tls12
    public var maximumVersion = TLSVersion.tls13
    /// For TLS 1.2; empty for all that are offered.
    public var cipherSuites: [TLSCipherSuite] = []

    public init(certificate: [UInt8], key: [UInt8]) {
        self.certificate = certificate
        self.key = key
    }

    /// Suites that the chosen ones bring along, because GnuTLS chooses key exchange and cipher apart.
    public var cipherSuitesNotNamed: [TLSCipherSuite] {
        let exchanges = Set(cipherSuites.map(\.keyExchange))
        let ciphers = Set(cipherSuites.map(\.cipher))
        return TLSCipherSuite.allCases.filter {
            exchanges.contains($0.keyExchange) && ciphers.contains($0.cipher) && !cipherSuites.contains($0)
        }
    }

    /// GnuTLS's priority string: its own choice of strong algorithms, of the versions that are offered.
    var priority: String {
        var text = "SECURE192:+SECURE128:-VERS-ALL"
        if maximumVersion == .tls13 { text += ":+VERS-TLS1.3" }
        if minimumVersion == .tls12 { text += ":+VERS-TLS1.2" }
        // No forward secrecy, or no authenticated encryption.
        text += ":-RSA:-DHE-RSA:-AES-128-CBC:-AES-256-CBC:-AES-128-CCM:-AES-256-CCM"
        guard !cipherSuites.isEmpty else { return text }
        let exchanges = Set(cipherSuites.map(\.keyExchange))
        for exchange in ["ECDHE-ECDSA", "ECDHE-RSA"] where !exchanges.contains(exchange) { text += ":-\(exchange)" }
        let ciphers = Set(cipherSuites.map(\.cipher))
        // TLS 1.3 needs one of these ciphers too, and takes what is left.
        for cipher in ["AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305"] where !ciphers.contains(cipher) {
            text += ":-\(cipher)"
        }
        return text
    }
}
