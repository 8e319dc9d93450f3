import Yams

// The exporter-toolkit's web configuration, so that one file serves every exporter of a fleet:
//
//     tls_server_config:
//       cert_file: server.crt
//       key_file: server.key
//       client_auth_type: RequireAndVerifyClientCert
//       client_ca_file: clients.crt
//       min_version: TLS12
//     basic_auth_users:
//       prometheus: $2y$10$…
//     http_server_config:
//       headers:
//         X-Frame-Options: deny
//
// Strict like the other file: what is not known is an error. Not taken are `client_allowed_sans`, certificates inline and
// `curve_preferences`; `http2` and `prefer_server_cipher_suites` are read and mean nothing here, since HTTP/1.1 is spoken
// and the server's preference holds always.

extension WebConfiguration {
    /// Parses the text of a file; `path` stands in errors, and its folder is that of relative file names.
    public init(yaml text: String, path: String) throws(ConfigurationError) {
        self = try WebConfigurationParser(path: path).parse(text)
    }
}

private struct WebConfigurationParser: YAMLReading {
    /// Whom a browser obeys; those that the toolkit takes.
    private static let headerNames = [
        "Content-Security-Policy", "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options",
        "X-XSS-Protection",
    ]
    private static let clientAuthTypes = [
        "NoClientCert", "RequestClientCert", "RequireAnyClientCert", "VerifyClientCertIfGiven",
        "RequireAndVerifyClientCert",
    ]
    /// A bcrypt hash takes twice the time with each step; this one takes about a second.
    private static let highestCost = 14

    let path: String

    func parse(_ text: String) throws(ConfigurationError) -> WebConfiguration {
        guard let root = try compose(text) else { return WebConfiguration() }
        var configuration = WebConfiguration()
        for (key, value) in try mapping(root, "the file") where !isNull(value) {
            switch key.text {
            case "tls_server_config": configuration.tls = try tls(value, line: key.line)
            case "basic_auth_users": configuration.users = try users(value)
            case "http_server_config": configuration.headers = try server(value)
            default:
                throw error(
                    key.line,
                    "key \"\(key.text)\" is unknown; known are tls_server_config, basic_auth_users, http_server_config")
            }
        }
        return configuration
    }

    private func tls(_ node: Node, line: Int) throws(ConfigurationError) -> WebConfiguration.TLS {
        var tls = WebConfiguration.TLS()
        tls.line = line
        for (key, value) in try mapping(node, "tls_server_config") where !isNull(value) {
            let what = key.text
            switch what {
            case "cert_file": tls.certificateFile = try file(value, what)
            case "key_file": tls.keyFile = try file(value, what)
            case "client_ca_file": tls.clientAuthorityFile = try file(value, what)
            case "client_auth_type": tls.clientAuthentication = try one(of: Self.clientAuthTypes, value, what)
            case "min_version": tls.minimumVersion = try one(of: ["TLS12", "TLS13"], value, what)
            case "max_version": tls.maximumVersion = try one(of: ["TLS12", "TLS13"], value, what)
            case "cipher_suites": tls.cipherSuites = try texts(value, what)
            case "prefer_server_cipher_suites": _ = try bool(value, what)
            default:
                throw error(
                    key.line,
                    "key \"\(what)\" of tls_server_config is unknown; known are cert_file, key_file, client_auth_type, "
                        + "client_ca_file, min_version, max_version, cipher_suites, prefer_server_cipher_suites")
            }
        }
        return try checked(tls)
    }

    private func checked(_ tls: WebConfiguration.TLS) throws(ConfigurationError) -> WebConfiguration.TLS {
        guard !tls.certificateFile.isEmpty, !tls.keyFile.isEmpty else {
            throw error(tls.line, "tls_server_config needs cert_file and key_file")
        }
        guard tls.minimumVersion <= tls.maximumVersion else {
            throw error(tls.line, "min_version \(tls.minimumVersion) is over max_version \(tls.maximumVersion)")
        }
        let verifies = tls.clientAuthentication.contains("Verify")
        if verifies, tls.clientAuthorityFile == nil {
            throw error(tls.line, "client_auth_type \(tls.clientAuthentication) needs a client_ca_file")
        }
        if tls.clientAuthentication == "NoClientCert", tls.clientAuthorityFile != nil {
            throw error(
                tls.line,
                "client_ca_file needs a client_auth_type such as RequireAndVerifyClientCert, else it means nothing")
        }
        return tls
    }

    private func users(_ node: Node) throws(ConfigurationError) -> [String: String] {
        var users: [String: String] = [:]
        for (key, value) in try mapping(node, "basic_auth_users") {
            guard !key.text.isEmpty, !key.text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: ":") }) else {
                throw error(key.line, "user \"\(key.text)\" is empty or holds a colon or a control character")
            }
            let hash = try text(value, "the hash of user \"\(key.text)\"")
            guard let cost = Self.bcryptCost(hash) else {
                throw error(
                    line(value),
                    "user \"\(key.text)\" has no bcrypt hash ($2y$10$ and 53 characters); htpasswd -nBC 10 makes one")
            }
            guard (4...Self.highestCost).contains(cost) else {
                throw error(
                    line(value),
                    "the hash of user \"\(key.text)\" has cost \(cost), not 4 to \(Self.highestCost): each check would take "
                        + "seconds, or none")
            }
            users[key.text] = hash
        }
        return users
    }

    private static func bcryptCost(_ hash: String) -> Int? {
        let parts = hash.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].isEmpty, ["2a", "2b", "2y"].contains(parts[1]), parts[2].utf8.count == 2,
            let cost = Int(parts[2]), parts[3].utf8.count == 53,
            parts[3].utf8.allSatisfy({ byte in
                (0x2e...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            })
        else { return nil }
        return cost
    }

    private func server(_ node: Node) throws(ConfigurationError) -> [WebConfiguration.Header] {
        var headers: [WebConfiguration.Header] = []
        for (key, value) in try mapping(node, "http_server_config") where !isNull(value) {
            switch key.text {
            case "http2": _ = try bool(value, "http2")
            case "headers": headers = try self.headers(value)
            default:
                throw error(
                    key.line, "key \"\(key.text)\" of http_server_config is unknown; known are headers, http2")
            }
        }
        return headers
    }

    private func headers(_ node: Node) throws(ConfigurationError) -> [WebConfiguration.Header] {
        var headers: [WebConfiguration.Header] = []
        for (key, value) in try mapping(node, "headers") {
            guard Self.headerNames.contains(key.text) else {
                throw error(
                    key.line,
                    "header \"\(key.text)\" cannot be set; known are \(Self.headerNames.joined(separator: ", "))")
            }
            let content = try text(value, "header \(key.text)")
            guard !content.isEmpty, content.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
                throw error(line(value), "header \(key.text) must be printable ASCII on one line")
            }
            headers.append(WebConfiguration.Header(name: key.text, value: content))
        }
        return headers
    }

    private func file(_ node: Node, _ what: String) throws(ConfigurationError) -> String {
        let name = try text(node, what)
        guard !name.isEmpty else { throw error(line(node), "\(what) is empty") }
        if name.hasPrefix("/") { return name }
        guard let slash = path.lastIndex(of: "/") else { return name }
        return "\(path[...slash])\(name)"
    }

    private func one(of known: [String], _ node: Node, _ what: String) throws(ConfigurationError) -> String {
        let value = try text(node, what)
        guard known.contains(value) else {
            throw error(line(node), "\(what) \"\(value)\" is not one of \(known.joined(separator: ", "))")
        }
        return value
    }

    private func texts(_ node: Node, _ what: String) throws(ConfigurationError) -> [String] {
        guard case .sequence(let items) = node else { throw error(line(node), "\(what) must be a list") }
        var texts: [String] = []
        for item in items { texts.append(try text(item, "each of \(what)")) }
        return texts
    }
}
