import ConfigurationFile
import Testing

@Suite("Web configuration file")
struct WebConfigurationTests {
    private static let hash = "$2y$10$" + String(repeating: "a", count: 53)

    @Test("TLS, users and header lines are read, files relative to the file's folder")
    func goodFile() throws {
        let read = try WebConfiguration(
            yaml: """
                tls_server_config:
                  cert_file: server.crt
                  key_file: /etc/server.key
                  client_auth_type: VerifyClientCertIfGiven
                  client_ca_file: ca.crt
                  min_version: TLS13
                  prefer_server_cipher_suites: true
                basic_auth_users:
                  prom: \(Self.hash)
                http_server_config:
                  http2: false
                  headers:
                    X-Frame-Options: deny
                """, path: "/etc/mapwatch/web.yml")
        #expect(read.tls?.certificateFile == "/etc/mapwatch/server.crt")
        #expect(read.tls?.keyFile == "/etc/server.key")
        #expect(read.tls?.clientAuthorityFile == "/etc/mapwatch/ca.crt")
        #expect(read.tls?.clientAuthentication == "VerifyClientCertIfGiven")
        #expect(read.tls?.minimumVersion == "TLS13")
        #expect(read.users == ["prom": Self.hash])
        #expect(read.headers.map { "\($0.name): \($0.value)" } == ["X-Frame-Options: deny"])
    }

    @Test("an empty file asks for nothing", arguments: ["", "tls_server_config:\n", "basic_auth_users: {}\n"])
    func emptyFile(text: String) throws {
        #expect(try WebConfiguration(yaml: text, path: "web.yml") == WebConfiguration())
    }

    private static let bad: [(String, String)] = [
        (
            "tls: {}",
            "web.yml:1: key \"tls\" is unknown; known are tls_server_config, basic_auth_users, http_server_config"
        ),
        ("tls_server_config:\n  cert_file: a", "web.yml:1: tls_server_config needs cert_file and key_file"),
        ("tls_server_config:\n  cert: a", "web.yml:2: key \"cert\" of tls_server_config is unknown; known are"),
        (
            "tls_server_config:\n  cert_file: a\n  key_file: b\n  min_version: TLS10",
            "web.yml:4: min_version \"TLS10\" is not one of TLS12, TLS13"
        ),
        (
            "tls_server_config: {cert_file: a, key_file: b, min_version: TLS13, max_version: TLS12}",
            "web.yml:1: min_version TLS13 is over max_version TLS12"
        ),
        (
            "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAndVerifyClientCert}",
            "web.yml:1: client_auth_type RequireAndVerifyClientCert needs a client_ca_file"
        ),
        (
            "tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}",
            "web.yml:1: client_ca_file needs a client_auth_type such as RequireAndVerifyClientCert"
        ),
        (
            "tls_server_config: {cert_file: a, key_file: b, client_auth_type: Verify}",
            "web.yml:1: client_auth_type \"Verify\" is not one of NoClientCert"
        ),
        ("tls_server_config: {cert_file: a, key_file: [b]}", "web.yml:1: key_file must be a text"),
        ("basic_auth_users:\n  prom: secret", "web.yml:2: user \"prom\" has no bcrypt hash"),
        (
            "basic_auth_users:\n  prom: $2y$31$" + String(repeating: "a", count: 53),
            "web.yml:2: the hash of user \"prom\" has cost 31, not 4 to 14"
        ),
        ("basic_auth_users:\n  a:b: x", "web.yml:2: user \"a:b\" is empty or holds a colon or a control character"),
        ("basic_auth_users:\n  a: x\n  a: y", "web.yml:2: key \"a\" stands twice"),
        (
            "http_server_config:\n  h2: true",
            "web.yml:2: key \"h2\" of http_server_config is unknown; known are headers, http2"
        ),
        ("http_server_config:\n  headers:\n    Server: x", "web.yml:3: header \"Server\" cannot be set; known are"),
        (
            "http_server_config:\n  headers:\n    X-Frame-Options: \"a\\nb\"",
            "web.yml:3: header X-Frame-Options must be printable ASCII on one line"
        ),
    ]

    @Test("a mistake is named with its line, its value and the way out", arguments: bad)
    func badFile(text: String, expected: String) {
        #expect {
            try WebConfiguration(yaml: text, path: "web.yml")
        } throws: {
            "\($0)".hasPrefix(expected)
        }
    }
}
