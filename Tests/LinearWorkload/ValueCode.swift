/// Values that say which store they come from: the eight bytes of an id, again and again.
enum ValueCode {
    /// What a value decodes to whose bytes are not of one store.
    static let torn = UInt64.max

    /// At least eight bytes.
    static func encode(_ id: UInt64, count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: id >> (UInt64($0 & 7) * 8)) }
    }

    static func decode(_ value: [UInt8]) -> UInt64 {
        guard value.count >= 8 else { return torn }
        var id: UInt64 = 0
        for index in 0..<8 { id |= UInt64(value[index]) << (UInt64(index) * 8) }
        for index in 8..<max(8, value.count) where value[index] != value[index - 8] { return torn }
        return id
    }
}

extension Span where Element == UInt8 {
    /// A copy.
    var copied: [UInt8] { indices.map { self[$0] } }
}
