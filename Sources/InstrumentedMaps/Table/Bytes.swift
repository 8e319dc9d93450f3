import Glibc

extension Span where Element == UInt8 {
    /// Whether the first bytes are those of `prefix`.
    func starts(with prefix: [UInt8]) -> Bool {
        guard count >= prefix.count else { return false }
        for index in prefix.indices where self[index] != prefix[index] { return false }
        return true
    }

    /// Whether these are the bytes of `other`.
    func equals(_ other: [UInt8]) -> Bool {
        guard count == other.count else { return false }
        // Safety: both sides have `count` readable bytes, and where there are none no address is used.
        return unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { right in
                guard let left = left.baseAddress, let right = right.baseAddress else { return true }
                return unsafe memcmp(left, right, count) == 0
            }
        }
    }
}

extension Array where Element == UInt8 {
    /// An array of its own with the bytes of `span`.
    init(copying span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
