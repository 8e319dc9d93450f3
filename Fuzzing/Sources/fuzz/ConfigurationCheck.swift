import ConfigurationFile
import InstrumentedMaps

private let path = "/etc/mapwatch/fuzz.yml"

/// A configuration that is taken keeps the promises of its fields; an error names the file and a line of it.
func checkConfiguration(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    do {
        let configuration = try Configuration(yaml: text, path: path)
        if let bytes = configuration.maximumBytes {
            require(bytes >= MapOptions.smallestMaximumBytes, "max_bytes \(bytes)")
        }
        require(Set(configuration.maps.map(\.name)).count == configuration.maps.count, "a map stands once")
        for map in configuration.maps {
            require((1...1024).contains(map.options.shards), "\(map.options.shards) shards")
            require(map.options.ttlSeconds.map(MapOptions.ttlRange.contains) ?? true, "a time to live in its range")
            if let bytes = map.options.maximumBytes { require(bytes >= MapOptions.smallestMaximumBytes, "max_bytes") }
        }
    } catch {
        checkError(error, of: text)
    }
}

/// Likewise for the web configuration.
func checkWebConfiguration(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    do {
        let configuration = try WebConfiguration(yaml: text, path: path)
        if let tls = configuration.tls {
            require(!tls.certificateFile.isEmpty && !tls.keyFile.isEmpty, "TLS has its files")
            require(tls.minimumVersion <= tls.maximumVersion, "a version of TLS can be spoken")
        }
        for header in configuration.headers {
            require(header.value.utf8.allSatisfy { (0x20...0x7e).contains($0) }, "no header ends a line")
        }
        require(Set(configuration.headers.map(\.name)).count == configuration.headers.count, "a header stands once")
        for (name, hash) in configuration.users {
            require(!name.isEmpty && !name.utf8.contains(UInt8(ascii: ":")), "a user that basic auth can name")
            require(hash.hasPrefix("$2") && hash.utf8.count == 60, "a bcrypt hash")
        }
    } catch {
        checkError(error, of: text)
    }
}

private func checkError(_ error: ConfigurationError, of text: String) {
    require(error.description.hasPrefix(path) && !error.reason.isEmpty, "an error says where and what")
    guard let line = error.line else {
        // Bytes that are no YAML at all have no line.
        require(error.reason.hasPrefix("not valid YAML"), "no line is named by \(error)")
        return
    }
    let breaks = text.unicodeScalars.count { ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains($0) }
    require((1...breaks + 2).contains(line), "line \(line) of a file of \(breaks + 1) lines")
}
