/// How large an entry of a hosted map may be, by whichever request it comes.
package enum EntryLimits {
    /// Keys are 1…1024 bytes.
    package static let keyBytes = 1...1024
    /// Values are up to 1 MiB.
    package static let maximumValueBytes = 1 << 20

    /// What is wrong with a key, nil for one that is taken.
    package static func problem(key: [UInt8]) -> String? {
        keyBytes.contains(key.count)
            ? nil
            : "the key is \(key.count) bytes long; keys are \(keyBytes.lowerBound) to \(keyBytes.upperBound) bytes"
    }

    /// What is wrong with a value, nil for one that is taken.
    package static func problem(value: [UInt8]) -> String? {
        value.count <= maximumValueBytes
            ? nil : "the value is \(value.count) bytes long; values are at most \(maximumValueBytes) bytes"
    }
}
