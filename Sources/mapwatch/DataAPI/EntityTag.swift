import InstrumentedMaps

// The ETag of a value is a hash of its bytes, and no version that an entry would carry: eight bytes an entry are saved,
// and equal contents are one representation. A value that was changed and changed back in between (ABA) matches again,
// and rightly so: whoever computes a new value from the old one comes to the same result.
//
// The hash is keyed with secrets of its own, drawn at the start. Keys are not hashed under them: tags are published,
// and whoever could see the hashes of keys could aim for one place in a table. Two different values share a tag with
// probability 2^-64; tags of one process mean nothing to the next, whose maps begin empty.

/// An entity tag (RFC 9110, 8.8.3): what an `ETag` shows and `If-Match` names. Any thread.
struct EntityTag: Equatable, CustomStringConvertible {
    private static let hasher = KeyHasher.withRandomSecrets()
    private static let digits = Array("0123456789abcdef".utf8)

    let isWeak: Bool
    /// What stands between the quotes.
    let opaque: [UInt8]

    /// A tag as a client sent it.
    init(opaque: [UInt8], isWeak: Bool = false) {
        self.opaque = opaque
        self.isWeak = isWeak
    }

    /// The strong tag of a value. Cost: 50 ns for 1 KiB, 50 µs for 1 MiB.
    init(of value: Span<UInt8>) {
        let hash = EntityTag.hasher.hash(value)
        self.init(opaque: (0..<16).map { EntityTag.digits[Int(hash >> UInt64(60 - $0 * 4) & 15)] })
    }

    /// Whether both are strong and the same (RFC 9110, 8.8.3.2).
    func matchesStrongly(_ other: EntityTag) -> Bool { !isWeak && !other.isWeak && opaque == other.opaque }

    /// Whether both are the same, weak or strong.
    func matchesWeakly(_ other: EntityTag) -> Bool { opaque == other.opaque }

    var description: String { (isWeak ? "W/\"" : "\"") + String(decoding: opaque, as: UTF8.self) + "\"" }
}

/// The value of `If-Match` or `If-None-Match`: any value, or one of these.
enum EntityTagSelection: Equatable {
    case any
    case tags([EntityTag])

    /// Reads `*` or `"tag", W/"tag", …`; nil when it is neither. Empty places between commas are skipped, as RFC 9110
    /// (5.6.1) demands; a tag may hold a comma.
    init?(parsing text: String) {
        var rest = Substring(text).utf8
        rest.skipBlanks()
        if rest.first == UInt8(ascii: "*") {
            rest.removeFirst()
            rest.skipBlanks()
            guard rest.isEmpty else { return nil }
            self = .any
            return
        }
        var tags: [EntityTag] = []
        while true {
            while rest.first == UInt8(ascii: ",") {
                rest.removeFirst()
                rest.skipBlanks()
            }
            guard !rest.isEmpty else { break }
            guard let tag = rest.takeTag() else { return nil }
            tags.append(tag)
            rest.skipBlanks()
            guard rest.isEmpty || rest.first == UInt8(ascii: ",") else { return nil }
        }
        guard !tags.isEmpty else { return nil }
        self = .tags(tags)
    }
}

extension Substring.UTF8View {
    fileprivate mutating func skipBlanks() {
        self = drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    /// Takes one tag from the front; nil, and a part of it gone, when none is there.
    fileprivate mutating func takeTag() -> EntityTag? {
        let isWeak = starts(with: "W/".utf8)
        if isWeak { removeFirst(2) }
        guard popFirst() == UInt8(ascii: "\""), let end = firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        let opaque = Array(self[..<end])
        // Neither blanks nor control bytes (RFC 9110, etagc).
        guard opaque.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return nil }
        self = self[index(after: end)...]
        return EntityTag(opaque: opaque, isWeak: isWeak)
    }
}
