import Instruments

/// Hands out entries that were all copied when the iteration began.
final class SnapshotIterator: MapIterator, Sendable {
    private let entries: [MapEntry]
    private let position = Counter()

    init(entries: [MapEntry]) { self.entries = entries }

    func next(limit: Int) -> [MapEntry] {
        let start = Int(position.value)
        let page = entries[start..<min(entries.count, start + max(0, limit))]
        position.set(UInt64(page.endIndex))
        return Array(page)
    }

    var isAtEnd: Bool { Int(position.value) == entries.count }
}
