/// A path pattern: literal segments and `{name}` captures of exactly one segment each.
struct RoutePattern: Sendable {
    private enum Segment: Sendable {
        case literal([UInt8])
        case capture(String)
    }

    private let segments: [Segment]

    init(_ text: String) throws(HTTPServerError) {
        guard text.hasPrefix("/") else { throw .invalidRoute(text, because: "it does not start with a slash") }
        var segments: [Segment] = []
        var names: Set<String> = []
        for part in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            let part = String(decoding: part, as: UTF8.self)
            if part.hasPrefix("{"), part.hasSuffix("}"), part.utf8.count > 2 {
                let name = String(part.dropFirst().dropLast())
                guard names.insert(name).inserted else {
                    throw .invalidRoute(text, because: "{\(name)} stands twice")
                }
                segments.append(.capture(name))
            } else if part.utf8.allSatisfy({ isPlain($0) }) {
                segments.append(.literal(Array(part.utf8)))
            } else {
                throw .invalidRoute(text, because: "\"\(part)\" holds a character that a path cannot hold as it is")
            }
        }
        self.segments = segments
    }

    /// What the captures matched, in order; nil when the path is another.
    func match(_ path: [[UInt8]]) -> [(name: String, value: [UInt8])]? {
        guard path.count == segments.count else { return nil }
        var captured: [(name: String, value: [UInt8])] = []
        for (segment, bytes) in zip(segments, path) {
            switch segment {
            case .literal(let literal):
                guard literal == bytes else { return nil }
            case .capture(let name):
                captured.append((name, bytes))
            }
        }
        return captured
    }

    /// Whether the two match the same paths.
    func matchesSame(as other: RoutePattern) -> Bool {
        segments.count == other.segments.count
            && zip(segments, other.segments).allSatisfy { pair in
                switch pair {
                case (.literal(let one), .literal(let two)): one == two
                case (.capture, .capture): true
                default: false
                }
            }
    }
}

/// What a literal segment may hold: printable ASCII that needs no escape and means nothing to a target or a pattern.
private func isPlain(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7f && !"#%?{}\"<>\\^`|".utf8.contains(byte)
}
