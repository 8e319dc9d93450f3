// Whether the bytes of a head are exactly its lines, told from where libmicrohttpd found them in its read buffer.
//
// Why: libmicrohttpd parses in place and hands out C strings. A bare line feed, a folded line, a NUL in a value, spaces
// before the target: all are gone from what it shows, and each is a way to make two programs disagree about where a
// request ends. What it cannot hide is where the pieces lie. A head that was written by the rules leaves no byte over:
//
//     GET␠/path␠HTTP/1.1␍␊ Host:␠a␍␊ Accept:␠␠b␍␊ ␍␊
//     │   │     │          │    │ │  │                │
//     method    version    name │ │  next name        end of the head, which its size must reach
//         target                value and its end
//
// Every place is the end of the piece before it plus its separator, so that two wrongs cannot cancel out, as they can
// where only the sum is compared.
//
// Bounds: arithmetic on addresses; no byte is read. Up to 64 bytes of space and tab may stand before a value, which is
// legal. It holds for libmicrohttpd 0.9.7x, which never moves its buffer within a head; where that changed, every
// request would be refused, and the tests with them, not let through.

struct HeadLayout {
    /// The most that may stand between a name and its value: the colon, and white space.
    static let longestGap: UInt = 65

    private let start: UInt
    private var next: UInt
    private(set) var isExact = true

    /// The request line: where its parts begin, and their lengths in bytes.
    init(method: (at: UInt, count: Int), target: (at: UInt, count: Int), version: (at: UInt, count: Int)) {
        start = method.at
        next = version.at &+ UInt(version.count) &+ 2
        expect(target.at, method.at &+ UInt(method.count) &+ 1)
        expect(version.at, target.at &+ UInt(target.count) &+ 1)
    }

    /// One header line, in order.
    mutating func line(name: (at: UInt, count: Int), value: (at: UInt, count: Int)) {
        expect(name.at, next)
        let nameEnd = name.at &+ UInt(name.count)
        let gap = value.at &- nameEnd
        if gap < 1 || gap > Self.longestGap { isExact = false }
        next = value.at &+ UInt(value.count) &+ 2
    }

    /// The end of the head; `size` is its length as libmicrohttpd counted it, from the method on.
    mutating func end(size: Int) {
        expect(start &+ UInt(size), next &+ 2)
    }

    private mutating func expect(_ place: UInt, _ expected: UInt) {
        if place != expected { isExact = false }
    }
}
