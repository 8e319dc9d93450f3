/// What a `--web.config.file` says, in the exporter-toolkit's format.
public struct WebConfiguration: Sendable, Equatable {
    /// `tls_server_config`, as it stands: names of files, versions and suites as Go spells them.
    public struct TLS: Sendable, Equatable {
        public var certificateFile = ""
        public var keyFile = ""
        public var clientAuthentication = "NoClientCert"
        public var clientAuthorityFile: String?
        public var minimumVersion = "TLS12"
        public var maximumVersion = "TLS13"
        public var cipherSuites: [String] = []
        /// Where the section begins.
        public var line: Int?
    }

    /// A header line of each answer.
    public struct Header: Sendable, Equatable {
        public let name: String
        public let value: String
    }

    public var tls: TLS?
    public var headers: [Header] = []
    /// Names and bcrypt hashes.
    public var users: [String: String] = [:]

    public init() {}
}
