// How keys of Swift types are hashed: keyed per process, and so that equal keys have equal hashes.
//
//     String   ASCII only                              KeyHasher over its bytes, 3 ns
//              canonically ASCII (three scalars are)   KeyHasher over the ASCII that it equals
//              anything else                           Hasher, which hashes the normal form
//     others   Hasher, as `hash(into:)` says
//
// Two strings are equal when their normal forms are; and a text of which a part is not ASCII in its normal form is not
// ASCII in any of its forms, so that equal texts take the same of the three ways.
//
// To normalise a text takes time quadratic in its longest run of combining marks: 5 seconds for 100,000 of them, and `==`
// takes it too. A key with a longer run than anybody writes is therefore refused before it is hashed or compared.

/// The hash of a key, unless the key is one that no map takes.
@usableFromInline
struct TypedKeyHash {
    @usableFromInline let hash: KeyHash
    /// False for a text that would cost too much to hash and to compare: it is in no map, and none stores it.
    @usableFromInline let isUsable: Bool

    @inlinable
    init(_ hash: KeyHash, isUsable: Bool = true) {
        self.hash = hash
        self.isUsable = isUsable
    }

    /// `hasher` is a copy of the process's: a static is asked for at each use whether it is there yet.
    @inlinable
    @inline(__always)
    init<Key: Hashable>(_ key: Key, _ hasher: KeyHasher) {
        // Decided when the caller's code is compiled.
        if let text = key as? String {
            self = TypedKeyHash.of(text, hasher)
        } else {
            self.init(KeyHash(bits: UInt64(bitPattern: Int64(key.hashValue))))
        }
    }

    /// Cost: about 5 ns for 12 bytes of ASCII; linear in the length for any text.
    @usableFromInline
    static func of(_ text: String, _ hasher: KeyHasher) -> TypedKeyHash {
        // Neither an initializer nor `withUTF8`: the one would own the text, the other change it, and either is a counted
        // reference more. A text that does not lie in one piece, as another language's may not, goes the long way.
        let ascii = unsafe text.utf8.withContiguousStorageIfAvailable { bytes -> KeyHash? in
            let bytes = unsafe Span(_unsafeElements: bytes)
            return TypedKeyHash.isASCII(bytes) ? KeyHash(bytes, hasher) : nil
        }
        if let ascii = ascii ?? nil { return TypedKeyHash(ascii) }
        return TypedKeyHash(otherText: text, hasher)
    }

    @inline(never)
    private init(otherText text: String, _ hasher: KeyHasher) {
        guard TypedKeyHash.isCheap(text) else {
            self.init(KeyHash(bits: 0), isUsable: false)
            return
        }
        if let ascii = TypedKeyHash.equalASCII(text) {
            self.init(KeyHash(ascii.span, hasher))
        } else {
            self.init(KeyHash(bits: UInt64(bitPattern: Int64(text.hashValue))))
        }
    }

    @inline(__always)
    private static func isASCII(_ bytes: Span<UInt8>) -> Bool {
        unsafe bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return true }
            var offset = 0
            var seen: UInt64 = 0
            // Safety: every word lies within the `count` bytes.
            while offset &+ 8 <= bytes.count {
                unsafe seen |= start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                offset &+= 8
            }
            if offset > 0 {
                // The last eight, some of which have been seen before.
                unsafe seen |= start.loadUnaligned(fromByteOffset: bytes.count &- 8, as: UInt64.self)
            } else {
                while offset < bytes.count {
                    unsafe seen |= UInt64(start.load(fromByteOffset: offset, as: UInt8.self))
                    offset &+= 1
                }
            }
            return seen & 0x8080_8080_8080_8080 == 0
        }
    }

    /// The ASCII text that `text` equals, if it equals one.
    private static func equalASCII(_ text: String) -> [UInt8]? {
        var ascii: [UInt8] = []
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\u{0}"..."\u{7f}": ascii.append(UInt8(truncatingIfNeeded: scalar.value))
            // The scalars whose canonical decomposition is ASCII: Kelvin sign, Greek question mark, Greek varia.
            case "\u{212a}": ascii.append(UInt8(ascii: "K"))
            case "\u{37e}": ascii.append(UInt8(ascii: ";"))
            case "\u{1fef}": ascii.append(UInt8(ascii: "`"))
            default: return nil
            }
        }
        return ascii
    }

    /// Unicode's Stream-Safe Text Format has at most 30; every mark takes at least two bytes.
    private static let longestRunOfMarks = 128

    /// Whether no run of combining marks is so long that the text is costly to normalise.
    private static func isCheap(_ text: String) -> Bool {
        if text.utf8.count <= 2 * longestRunOfMarks { return true }
        var run = 0
        for scalar in text.unicodeScalars {
            let isMark = scalar.value > 0x2ff && scalar.properties.canonicalCombiningClass != .notReordered
            run = isMark ? run + 1 : 0
            if run > longestRunOfMarks { return false }
        }
        return true
    }
}
