import ConfigurationFile
import HTTPServer

/// Reads a `--web.config.file` and the certificates that it names.
enum AccessFile {
    /// Nil stands for no file: plain HTTP for everybody.
    static func read(_ path: String?) throws(StartRefusal) -> AccessSettings {
        guard let path else { return AccessSettings() }
        do {
            return try settings(WebConfiguration(yaml: System.readFile(path), path: path), path: path)
        } catch let refusal as StartRefusal {
            throw refusal
        } catch {
            throw StartRefusal(description: "\(error)")
        }
    }

    private static func settings(_ file: WebConfiguration, path: String) throws -> AccessSettings {
        var settings = AccessSettings()
        settings.users = file.users
        settings.headers = file.headers.map { AccessSettings.Header(name: $0.name, value: $0.value) }
        if let tls = file.tls { settings.tls = try self.tls(tls, path: path) }
        return settings
    }

    private static func tls(_ section: WebConfiguration.TLS, path: String) throws -> TLSSettings {
        let place = "\(path)\(section.line.map { ":\($0)" } ?? "")"
        var tls = TLSSettings(
            certificate: Array(try System.readFile(section.certificateFile).utf8),
            key: Array(try System.readFile(section.keyFile).utf8))
        tls.clientAuthorities = try section.clientAuthorityFile.map { Array(try System.readFile($0).utf8) }
        tls.clientAuthentication = ClientAuthentication(rawValue: section.clientAuthentication) ?? .requireAndVerify
        tls.minimumVersion = TLSVersion(rawValue: section.minimumVersion) ?? .tls12
        tls.maximumVersion = TLSVersion(rawValue: section.maximumVersion) ?? .tls13
        for name in section.cipherSuites {
            guard let suite = TLSCipherSuite(rawValue: name) else {
                let known = TLSCipherSuite.allCases.map(\.rawValue).joined(separator: ", ")
                throw StartRefusal(
                    description: "\(place): cipher suite \"\(name)\" is not offered; offered are \(known)")
            }
            tls.cipherSuites.append(suite)
        }
        guard tls.cipherSuitesNotNamed.isEmpty else {
            let more = tls.cipherSuitesNotNamed.map(\.rawValue).joined(separator: ", ")
            throw StartRefusal(
                description:
                    "\(place): GnuTLS chooses key exchange and cipher apart, so cipher_suites would also allow "
                    + "\(more); name them too, or leave out others")
        }
        do {
            // So that a bad certificate is named with its file, before anything is served.
            _ = try AccessControl(with(tls))
        } catch {
            throw StartRefusal(
                description: "\(place): \(error) (\(section.certificateFile), \(section.keyFile)"
                    + "\(section.clientAuthorityFile.map { ", \($0)" } ?? ""))")
        }
        return tls
    }

    private static func with(_ tls: TLSSettings) -> AccessSettings {
        var settings = AccessSettings()
        settings.tls = tls
        return settings
    }
}
