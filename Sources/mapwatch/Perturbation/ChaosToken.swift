import HTTPServer

/// What a request must carry to disturb maps: `Authorization: Bearer TOKEN`, or `X-Mapwatch-Chaos-Token: TOKEN` where the
/// listener asks for a password as well and has that line for itself.
struct ChaosToken: Sendable {
    static let variable = "MAPWATCH_CHAOS_TOKEN"
    static let header = "X-Mapwatch-Chaos-Token"
    static let lengths = 16...1024

    private let bytes: [UInt8]

    /// `text` as a file or a variable has it, a line feed at its end or not; `place` says where, for the error.
    init(_ text: String, from place: String) throws(StartRefusal) {
        let token = text.hasSuffix("\n") ? text.dropLast() : text[...]
        bytes = Array(token.utf8)
        guard ChaosToken.lengths.contains(bytes.count), bytes.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw StartRefusal(
                description: "the token in \(place) must be 16 to 1024 printable characters without blanks, and has "
                    + "\(bytes.count) bytes; head -c 24 /dev/urandom | base64 makes one")
        }
    }

    /// The token that the command line and the environment give; an error when there is none, or one too many.
    static func read(file: String?, environment: (String) -> String?) throws(StartRefusal) -> ChaosToken {
        switch (file, environment(variable)) {
        case (let path?, nil):
            do {
                return try ChaosToken(System.readFile(path), from: path)
            } catch let refusal as StartRefusal {
                throw refusal
            } catch {
                throw StartRefusal(description: "\(error)")
            }
        case (nil, let text?): return try ChaosToken(text, from: variable)
        case (nil, nil):
            throw StartRefusal(
                description: "--enable-chaos lets requests disturb maps, so it needs a token: "
                    + "give --chaos.token-file or set \(variable)")
        case (_?, _?):
            throw StartRefusal(
                description: "--chaos.token-file and \(variable) are both given; leave one out")
        }
    }

    /// Whether the request carries the token, exactly once. Takes the same time for every wrong token of a length.
    func admits(_ headers: HTTPHeaders) -> Bool {
        let bearers = headers.all("Authorization").compactMap { line in
            line.lowercased().hasPrefix("bearer ") ? String(line.dropFirst("bearer ".count)) : nil
        }
        let given = bearers + headers.all(ChaosToken.header)
        return given.count == 1 && equals(Array(given[0].utf8))
    }

    private func equals(_ other: [UInt8]) -> Bool {
        guard other.count == bytes.count else { return false }
        return zip(bytes, other).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
