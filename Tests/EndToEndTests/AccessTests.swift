import Foundation
import TestSupport
import Testing

/// Certificates and a web configuration in a folder of their own, made with openssl.
private final class Certificates: Sendable {
    /// bcrypt of "secret" at the lowest cost.
    static let hash = "$2y$04$aaaaaaaaaaaaaaaaaaaaaOGY9KrC7e/pHj3EXQPxs8hKEBbvQhsvG"

    let folder: TemporaryFolder
    var path: String { folder.path }

    init() throws {
        folder = try TemporaryFolder()
        for name in ["server", "other", "ca"] { try selfSigned(name) }
        _ = try folder.write("ext", "extendedKeyUsage=clientAuth\n")
        try signed("client", by: "ca")
        try signed("stranger", by: "other")
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    private func selfSigned(_ name: String) throws {
        try openssl(
            [
                "req", "-x509", "-nodes", "-keyout", file("\(name).key"), "-out", file("\(name).crt"), "-days", "2",
                "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            ] + Certificates.newKey)
    }

    private func signed(_ name: String, by authority: String) throws {
        try openssl(
            ["req", "-nodes", "-keyout", file("\(name).key"), "-out", file("\(name).csr"), "-subj", "/CN=\(name)"]
                + Certificates.newKey)
        try openssl([
            "x509", "-req", "-in", file("\(name).csr"), "-CA", file("\(authority).crt"), "-CAkey",
            file("\(authority).key"), "-CAcreateserial", "-out", file("\(name).crt"), "-days", "2", "-extfile",
            file("ext"),
        ])
    }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]

    private func openssl(_ arguments: [String]) throws {
        let result = try ChildProcess.run(MissingTool.path(of: "openssl"), arguments)
        guard result.exit == .code(0) else { throw ChildProblem(description: "openssl: \(result.errors)") }
    }
}

@Suite("Access to the listeners")
struct AccessTests {
    private static let web = """
        tls_server_config:
          cert_file: server.crt
          key_file: server.key
          client_auth_type: RequireAndVerifyClientCert
          client_ca_file: ca.crt
        basic_auth_users:
          prom: \(Certificates.hash)
        http_server_config:
          headers:
            X-Frame-Options: deny

        """

    /// Asks with curl; gives the status, 0 when there was no answer.
    private func curl(_ files: Certificates, _ port: UInt16, _ path: String, _ arguments: [String]) throws -> Int {
        let result = try ChildProcess.run(
            MissingTool.path(of: "curl"),
            ["-s", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}"] + arguments
                + ["https://127.0.0.1:\(port)\(path)"])
        return Int(result.output) ?? 0
    }

    @Test("TLS asks for a client's certificate, then for a password; both listeners, checked by promtool too")
    func tls() throws {
        let files = try Certificates()
        let file = try files.folder.write("web.yml", Self.web)
        let promtool = try ChildProcess.run(MissingTool.path(of: "promtool"), ["check", "web-config", file])
        #expect(promtool.exit == .code(0), "\(promtool.errors)")
        let daemon = try MapwatchProcess(
            ["--web.config.file", file, "--data.config.file", file])
        let trust = ["--cacert", files.file("server.crt")]
        func identity(_ name: String) -> [String] {
            trust + ["--cert", files.file("\(name).crt"), "--key", files.file("\(name).key")]
        }
        let right = ["-u", "prom:secret"]
        for (port, path) in [(daemon.metricsPort, "/metrics"), (daemon.dataPort, "/api/v1/maps")] {
            #expect(try curl(files, port, path, trust + right) == 0)
            #expect(try curl(files, port, path, identity("stranger") + right) == 0)
            #expect(try curl(files, port, path, identity("client")) == 401)
            #expect(try curl(files, port, path, identity("client") + ["-u", "prom:wrong"]) == 401)
            #expect(try curl(files, port, path, identity("client") + right) == 200)
        }
        #expect(try curl(files, daemon.metricsPort, "/-/healthy", identity("client")) == 200)
        for (version, isSpoken) in [("-tls1", false), ("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)] {
            let tried = try ChildProcess.run(
                MissingTool.path(of: "openssl"),
                [
                    "s_client", version, "-cipher", "ALL:@SECLEVEL=0", "-connect", "127.0.0.1:\(daemon.metricsPort)",
                    "-cert", files.file("client.crt"), "-key", files.file("client.key"),
                ])
            #expect(tried.output.contains("Cipher is (NONE)") != isSpoken, "\(version): \(tried.output)")
        }
    }

    @Test("a reload changes certificate and users; a wrong file changes nothing and is shown")
    func reload() throws {
        let files = try Certificates()
        func write(_ certificate: String, _ user: String) throws -> String {
            try files.folder.write(
                "web.yml",
                """
                tls_server_config: {cert_file: \(certificate).crt, key_file: \(certificate).key}
                basic_auth_users: {\(user): \(Certificates.hash)}
                """)
        }
        let file = try write("server", "one")
        let daemon = try MapwatchProcess(["--web.config.file", file, "--web.enable-lifecycle"])
        func status(_ certificate: String, _ user: String, _ path: String = "/metrics", _ more: [String] = []) throws
            -> Int
        {
            try curl(
                files, daemon.metricsPort, path,
                ["--cacert", files.file("\(certificate).crt"), "-u", "\(user):secret"] + more)
        }
        #expect(try status("server", "one") == 200)
        _ = try write("other", "two")
        daemon.child.signal(SIGHUP)
        _ = try daemon.child.waitForErrorLine("reloaded the configuration")
        #expect(try status("server", "one") == 0)
        #expect(try status("other", "one") == 401)
        #expect(try status("other", "two") == 200)

        _ = try files.folder.write("web.yml", "tls_server_config: {cert_file: none.crt, key_file: none.key}\n")
        #expect(try status("other", "two", "/-/reload", ["-X", "POST"]) == 500)
        let line = try daemon.child.waitForErrorLine("cannot reload the configuration, the old one holds")
        #expect(line.contains("none.crt: no such file or directory"))
        #expect(try status("other", "two") == 200)
        _ = try write("server", "one")
        #expect(try status("other", "two", "/-/reload", ["-X", "POST"]) == 200)
        #expect(try status("server", "one") == 200)
    }

    @Test("reload needs the flag; it adds maps, drops none, and refuses a changed one whole")
    func maps() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("mapwatch.yml", "maps: [{name: a}]\n")
        let closed = try MapwatchProcess(["--config.file", file])
        let refused = try closed.web("POST", "/-/reload")
        #expect(refused.status == 403)
        #expect(refused.text == "Lifecycle API is not enabled.\n")

        let daemon = try MapwatchProcess(["--config.file", file, "--web.enable-lifecycle"])
        let kept = try HTTPConnection(port: daemon.metricsPort, timeoutSeconds: 60)
        func names() throws -> Set<String> {
            let answer = try kept.request("GET", "/metrics")
            return Set(try CheckedExposition(answer.body).samples("map_info").compactMap { $0.labels["map_name"] })
        }
        #expect(try daemon.data("PUT", entry("a", "k"), body: "v").status == 201)
        _ = try folder.write("mapwatch.yml", "maps: [{name: b, shards: 2}]\n")
        #expect(try daemon.web("POST", "/-/reload").status == 200)
        #expect(try names() == ["a", "b"])
        #expect(try daemon.data("GET", entry("a", "k")).text == "v")
        #expect(try daemon.scrape().value("mapwatch_config_last_reload_successful") == 1)

        _ = try folder.write("mapwatch.yml", "maps: [{name: c}, {name: b, shards: 4}]\n")
        let answer = try daemon.web("PUT", "/-/reload")
        #expect(answer.status == 500)
        #expect(answer.text.contains("map \"b\" stands with"))
        #expect(answer.text.contains("a reload adds maps and changes none"))
        #expect(try names() == ["a", "b"])
        #expect(try daemon.scrape().value("mapwatch_config_last_reload_successful") == 0)
        #expect(try daemon.web("GET", "/-/reload").status == 405)
    }
}
