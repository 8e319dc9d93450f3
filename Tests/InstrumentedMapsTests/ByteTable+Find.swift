@testable import InstrumentedMaps

extension ByteTable {
    /// The value of `key` as a shard would find it that has just been shown where the table is.
    func find(_ key: Span<UInt8>, _ hash: KeyHash) -> [UInt8]? {
        let whereabouts = TableWhereabouts()
        show(whereabouts)
        return find(key, hash, by: whereabouts)
    }
}
