import InstrumentedMaps

extension InstrumentedMap {
    /// ``load(_:)``, or the same by way of a buffer that holds any value, which is code of its own.
    func load(_ key: [UInt8], isIntoBuffer: Bool) -> [UInt8]? {
        guard isIntoBuffer else { return load(key) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        var output = buffer.mutableSpan
        return load(key.span, into: &output).map { [UInt8](buffer[..<$0]) }
    }
}
